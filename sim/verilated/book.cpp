// The book of one venue, compiled, behind a small C ABI: a list of events goes in by one call, and all that the book answers comes back.
//
// Around it stand a source that pauses, a receiver that refuses, and a host that looks at the levels after every event.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "Vbook.h"
#include "verilated.h"

namespace {

constexpr uint32_t EVENT_WORDS = sizeof(Vbook::events___05Fpayload) / 4, RECORD_WORDS = sizeof(Vbook::tops___05Fpayload) / 4,
                   LEVEL_WORDS = sizeof(Vbook::level) / 4;
constexpr uint32_t QUIET = 20;          // cycles after the last record in which nothing may follow
constexpr uint64_t PATIENCE = 1 << 21;  // cycles in which nothing moves that are too many
constexpr int PULSES = 6;

enum Fault : int32_t { NONE, HANGS, WITHDRAWN, CHANGED, UNASKED_RECORD, UNASKED_LEVEL };

struct Wanted {
    const uint32_t* events;
    const uint8_t* looks;  // the symbol to look at after each event, or null
    uint64_t count, pause_percent, refuse_percent, seed;
};

struct Answers {
    const uint32_t *records, *levels;
    const uint64_t *taken, *shown, *refused;
    uint64_t record_words, level_words, taken_count, shown_count, refused_count, pulses[PULSES];
};

class Book {
  public:
    Book() : context(new VerilatedContext), top(new Vbook(context.get())) {}
    ~Book() { top->final(); }

    int32_t reset() {
        top->events___05Fvalid = top->tops___05Fready = top->look = 0;
        top->rst = 1;
        top->eval();
        clock();
        top->rst = 0;
        now = 0;
        for (uint64_t i = 0; i < PATIENCE; i++) {
            top->eval();
            clock();
            if (!top->busy) return NONE;
        }
        return HANGS;
    }

    int32_t run(const Wanted& all) {
        wanted = all;
        random = wanted.seed * 0x9E3779B97F4A7C15ull | 1;
        records.clear(), levels.clear(), taken.clear(), shown.clear(), refused.clear();
        std::fill(pulses, pulses + PULSES, 0);
        offers = held = false;
        looks = NO_LOOK;
        moved = now;
        for (uint32_t quiet = 0; quiet < QUIET; quiet = done() ? quiet + 1 : 0) {
            drive();
            top->eval();
            Fault fault = sample();
            if (fault) return fault;
            if (now - moved > PATIENCE) return HANGS;
            clock();
        }
        return NONE;
    }

    void tell(Answers& out) const {
        out = {records.data(), levels.data(), taken.data(), shown.data(), refused.data(),
               records.size(), levels.size(), taken.size(), shown.size(), refused.size(), {}};
        std::copy(pulses, pulses + PULSES, out.pulses);
    }

  private:
    std::unique_ptr<VerilatedContext> context;
    std::unique_ptr<Vbook> top;
    Wanted wanted{};
    std::vector<uint32_t> records, levels;
    std::vector<uint64_t> taken, shown, refused;
    uint64_t pulses[PULSES], now = 0, moved = 0, random = 1;
    bool offers = false;  // an event
    bool held = false;    // a record that was refused
    uint32_t waiting[RECORD_WORDS];
    enum { NO_LOOK, ASK, LOOKING } looks = NO_LOOK;

    void clock() {
        top->clk = 1;
        top->eval();
        top->clk = 0;
        now++;
    }

    bool by_chance(uint64_t percent) {
        if (!percent) return false;
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        return random % 100 < percent;
    }

    bool done() const { return taken.size() == wanted.count && shown.size() == wanted.count && !held && looks == NO_LOOK; }

    void drive() {
        if (!offers && looks == NO_LOOK && taken.size() < wanted.count && !by_chance(wanted.pause_percent)) {
            offers = true;
            for (uint32_t i = 0; i < EVENT_WORDS; i++) top->events___05Fpayload[i] = wanted.events[taken.size() * EVENT_WORDS + i];
        }
        top->events___05Fvalid = offers;
        top->tops___05Fready = !by_chance(wanted.refuse_percent);
        top->look = looks == ASK;
        if (looks == ASK) top->look_symbol = wanted.looks[taken.size() - 1];
    }

    Fault sample() {
        Fault fault = sample_record();
        if (top->level_valid) {
            if (looks != LOOKING) return UNASKED_LEVEL;
            for (uint32_t i = 0; i < LEVEL_WORDS; i++) levels.push_back(top->level[i]);
        }
        if (looks == ASK)
            looks = LOOKING;
        else if (looks == LOOKING && !top->looking)
            looks = NO_LOOK;
        if (offers && top->events___05Fready) {
            taken.push_back(now);
            moved = now;
            offers = false;
            if (wanted.looks) looks = ASK;
        }
        if (top->store_full) refused.push_back(now);
        const bool seen[PULSES] = {bool(top->unknown_reference), bool(top->duplicate_reference), bool(top->store_full),
                                   bool(top->levels_full), bool(top->bad_event), bool(top->overflow)};
        for (int i = 0; i < PULSES; i++) pulses[i] += seen[i];
        return fault;
    }

    Fault sample_record() {
        if (!top->tops___05Fvalid) return held ? WITHDRAWN : NONE;
        uint32_t record[RECORD_WORDS];
        for (uint32_t i = 0; i < RECORD_WORDS; i++) record[i] = top->tops___05Fpayload[i];
        if (held && !std::equal(record, record + RECORD_WORDS, waiting)) return CHANGED;
        if (!held) {
            if (shown.size() >= taken.size()) return UNASKED_RECORD;
            shown.push_back(now);
            records.insert(records.end(), record, record + RECORD_WORDS);
            moved = now;
        }
        held = !top->tops___05Fready;
        std::copy(record, record + RECORD_WORDS, waiting);
        return NONE;
    }
};

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

Book* book_create() { return new Book(); }
void book_destroy(Book* book) { delete book; }
void book_words(uint32_t out[3]) { out[0] = EVENT_WORDS, out[1] = RECORD_WORDS, out[2] = LEVEL_WORDS; }

// Both return a Fault. Cycles count from the reset on.
int32_t book_reset(Book* book) { return book->reset(); }
int32_t book_run(Book* book, const Wanted* wanted) { return book->run(*wanted); }

// What is pointed at is borrowed until the next call.
void book_answers(const Book* book, Answers* out) { book->tell(*out); }
}
#pragma GCC visibility pop
