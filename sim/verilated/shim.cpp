// The simulated card: the compiled RTL behind a small C ABI.
//
// One call moves many cycles, so that no other language stands in the cycle loop. While it runs, this file plays
// what surrounds a card: the wires of the feed ports, the receiver of the order frames, and the host's driver that
// drains the event ring through the register bus. Every word of the ABI is little endian, cycles count from reset.

#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "card_ports.h"  // generated: Top, Ports, FEEDS, PORTS, READ_LATENCY, put_feed, get_order, backlog
#include "verilated.h"

namespace {

constexpr uint32_t RECORD_WORDS = 8;
constexpr uint32_t PUBLISH_EVERY = 8;  // records read before the card is told, while there are more
constexpr uint64_t GAP = 2;            // cycles at least between two frames on the port of the order sessions, as on a wire

struct Frame {
    std::shared_ptr<std::vector<uint8_t>> bytes;
    uint32_t offset, length, weight;
    uint64_t start;
    bool error;
};

struct Feed {
    std::deque<Frame> waiting;
    std::deque<Frame> urgent;       // go before those that wait, but never within a frame
    bool of_urgent = false;         // the frame under way is one of those
    uint32_t position = 0;          // bytes of the frame under way that are on the card already
    uint64_t last_word = 0;         // cycle of the newest word
    uint64_t last_backlog = 0;      // newest cycle with a backlog
    uint32_t outstanding = 0;       // events that frames on the card may still cause
    uint32_t newest_weight = 0;

    std::deque<Frame>& next() { return of_urgent ? urgent : waiting; }
};

struct SentFrame {
    uint64_t first_cycle, last_cycle;
    uint32_t offset, length, error, reserved;
};

struct Access {
    enum Kind : uint8_t { NONE, POLL, RECORD, USER } kind = NONE;
};

struct Violation {
    uint64_t count = 0, first_cycle = 0;
};

struct Settings {
    uint32_t write_index_address, read_index_address, ring_address, ring_records;
};

class Card {
  public:
    Card() : context(new VerilatedContext), top(new Top(context.get())), ports(*top) {
        top->clk = 0;
        idle_inputs();
        top->eval();
    }
    ~Card() { top->final(); }

    void reset(uint32_t cycles) {
        for (auto& feed : feeds) feed = Feed();
        forget_driver();
        frames.clear();
        frame_bytes.clear();
        partial.clear();
        held_valid = false;
        idle_inputs();
        top->rst = 1;
        for (uint32_t i = 0; i < cycles; i++) clock();
        top->rst = 0;
        now = quiet = 0;
    }

    uint32_t read(uint32_t address) {
        user_access(address, false, 0);
        while (user_pending) cycle();
        return user_data;
    }

    void write(uint32_t address, uint32_t value) { user_access(address, true, value); }

    bool idle() const {
        if (quiet < settle) return false;
        for (const auto& feed : feeds)
            if (!feed.waiting.empty() || !feed.urgent.empty()) return false;
        return true;
    }

    void cycle() {
        bool busy = false;
        for (int port = 0; port < PORTS; port++) busy |= drive_feed(port);
        busy |= drive_bus();
        ports.orders_ready = ready_now();
        top->eval();
        busy |= sample_orders();
        busy |= sample_bus();
        for (int port = 0; port < FEEDS; port++)
            if (backlog(*top, port)) feeds[port].last_backlog = now, busy = true;
        top->clk = 1;
        top->eval();
        top->clk = 0;
        now++;
        quiet = busy ? 0 : quiet + 1;
    }

    std::unique_ptr<VerilatedContext> context;
    std::unique_ptr<Top> top;
    Ports ports;
    Feed feeds[PORTS];
    Settings settings{};
    uint64_t now = 0, quiet = 0;
    uint32_t settle = 128;
    bool drain = false, paced = false;
    uint32_t backlog_limit = 0;
    uint32_t stall_percent = 0;
    uint64_t random = 1;

    std::vector<uint32_t> events;
    std::vector<uint64_t> event_cycles;
    std::vector<SentFrame> frames;
    std::vector<uint8_t> frame_bytes;
    Violation unstable, paused, miscounted;

    void forget_driver() {
        events.clear();
        event_cycles.clear();
        for (auto& access : in_flight) access = Access();
        polled_write = published_read = next_record = next_word = complete = words = 0;
        user_pending = user_waiting = poll_pending = false;
    }

  private:
    Access in_flight[READ_LATENCY + 1];
    uint32_t polled_write = 0, published_read = 0, next_record = 0, next_word = 0, complete = 0, words = 0;
    uint32_t record[RECORD_WORDS];
    bool poll_pending = false;
    bool user_pending = false, user_waiting = false, user_is_write = false;
    uint32_t user_address = 0, user_value = 0, user_data = 0;
    std::vector<uint8_t> partial;
    uint64_t partial_first = 0;
    bool held_valid = false;
    OrderWord held{};

    void idle_inputs() {
        for (int port = 0; port < PORTS; port++) put_feed(*top, port, false, 0, 0);
        ports.bus_read = ports.bus_write = 0;
        ports.bus_address = ports.bus_write_data = 0;
        ports.orders_ready = 0;
    }

    void clock() {
        top->eval();
        top->clk = 1;
        top->eval();
        top->clk = 0;
    }

    // ---- the wires of the feed ports

    bool settled(const Feed& feed) const { return feed.position == 0 && now > feed.last_word + settle && now > feed.last_backlog + settle; }

    // A paced frame waits until whatever it can cause fits into the commit buffer and into the event ring. What earlier
    // frames may still cause counts until a poll of the write index that came long enough after them. One of weight 0 never waits.
    bool may_start(int port) {
        Feed& feed = feeds[port];
        const Frame& frame = feed.next().front();
        if (now < frame.start) return false;
        if (port >= FEEDS && feed.last_word && now <= feed.last_word + GAP) return false;
        if (!paced || !frame.weight) return true;
        uint32_t outstanding = frame.weight;
        for (auto& other : feeds) outstanding += other.outstanding;
        bool alone = outstanding == frame.weight;  // a frame too heavy for the ring goes when nothing else is under way
        uint32_t used = polled_write - published_read;
        if (drain && used + outstanding > settings.ring_records && !(alone && used == 0)) return false;
        return alone || backlog(*top, port) + feed.newest_weight + frame.weight <= backlog_limit;
    }

    bool drive_feed(int port) {
        Feed& feed = feeds[port];
        if (feed.position == 0) feed.of_urgent = !feed.urgent.empty();
        if (feed.next().empty() || (feed.position == 0 && !may_start(port))) {
            put_feed(*top, port, false, 0, 0);
            return false;
        }
        Frame& frame = feed.next().front();
        if (feed.position == 0) {
            feed.outstanding += frame.weight;
            feed.newest_weight = frame.weight;
        }
        uint64_t data;
        std::memcpy(&data, frame.bytes->data() + frame.offset + feed.position, 8);
        uint32_t left = frame.length - feed.position;
        bool last = left <= 8;
        put_feed(*top, port, true, data, feed_tail(last ? left : 8, last, last && frame.error));
        feed.last_word = now;
        feed.position += 8;
        if (last) {
            feed.position = 0;
            feed.next().pop_front();
        }
        return true;
    }

    // ---- the host's side of the bus: its own accesses first, then the drain of the event ring

    void user_access(uint32_t address, bool is_write, uint32_t value) {
        user_address = address;
        user_is_write = is_write;
        user_value = value;
        user_waiting = true;
        user_pending = !is_write;
        cycle();
    }

    void put_bus(bool read, bool write, uint32_t address, uint32_t value) {
        ports.bus_read = read;
        ports.bus_write = write;
        if (read || write) ports.bus_address = address;
        if (write) ports.bus_write_data = value;
    }

    bool drive_bus() {
        for (int i = READ_LATENCY; i > 0; i--) in_flight[i] = in_flight[i - 1];
        in_flight[0].kind = Access::NONE;
        if (user_waiting) {
            user_waiting = false;
            put_bus(!user_is_write, user_is_write, user_address, user_value);
            if (!user_is_write) in_flight[0].kind = Access::USER;
            return true;
        }
        if (!drain) {
            put_bus(false, false, 0, 0);
            return false;
        }
        if (complete - published_read >= PUBLISH_EVERY || (complete != published_read && complete == polled_write)) {
            published_read = complete;
            put_bus(false, true, settings.read_index_address, published_read);
            return true;
        }
        if (next_record != polled_write) {
            uint32_t slot = next_record % settings.ring_records;
            put_bus(true, false, settings.ring_address + 32 * slot + 4 * next_word, 0);
            in_flight[0].kind = Access::RECORD;
            next_word++;
            if (next_word == RECORD_WORDS) next_word = 0, next_record++;
            return true;
        }
        if (!poll_pending) {
            poll_pending = true;
            put_bus(true, false, settings.write_index_address, 0);
            in_flight[0].kind = Access::POLL;
        } else {
            put_bus(false, false, 0, 0);
        }
        return false;
    }

    bool sample_bus() {
        switch (in_flight[READ_LATENCY].kind) {
            case Access::NONE:
                return false;
            case Access::POLL:
                poll_pending = false;
                for (auto& feed : feeds)
                    if (settled(feed)) feed.outstanding = 0;
                if (polled_write == ports.bus_read_data) return false;
                polled_write = ports.bus_read_data;
                return true;
            case Access::RECORD:
                record[words++] = ports.bus_read_data;
                if (words == RECORD_WORDS) {
                    words = 0;
                    complete++;
                    events.insert(events.end(), record, record + RECORD_WORDS);
                    event_cycles.push_back(now);
                }
                return true;
            case Access::USER:
                user_pending = false;
                user_data = ports.bus_read_data;
                return true;
        }
        return false;
    }

    // ---- the receiver of the order frames

    bool ready_now() {
        if (!stall_percent) return true;
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        return random % 100 >= stall_percent;
    }

    void note(Violation& violation) {
        if (!violation.count++) violation.first_cycle = now;
    }

    bool sample_orders() {
        if (!ports.orders_valid) {
            if (held_valid) note(unstable);
            if (!partial.empty()) note(paused);
            held_valid = false;
            return false;
        }
        OrderWord word = get_order(*top);
        if (held_valid && word != held) note(unstable);
        held = word;
        held_valid = !ports.orders_ready;
        if (held_valid) return true;
        if (word.count == 0 || word.count > 8 || (!word.last && word.count != 8)) note(miscounted);
        if (partial.empty()) partial_first = now;
        uint32_t count = word.count > 8 ? 8 : word.count;
        const uint8_t* bytes = reinterpret_cast<const uint8_t*>(&word.data);
        partial.insert(partial.end(), bytes, bytes + count);
        if (word.last) {
            frames.push_back({partial_first, now, uint32_t(frame_bytes.size()), uint32_t(partial.size()), word.error, 0});
            frame_bytes.insert(frame_bytes.end(), partial.begin(), partial.end());
            partial.clear();
        }
        return true;
    }
};

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

Card* trapjaw_create() { return new Card(); }
void trapjaw_destroy(Card* card) { delete card; }
uint32_t trapjaw_feeds() { return FEEDS; }
uint32_t trapjaw_ports() { return PORTS; }
void trapjaw_reset(Card* card, uint32_t cycles) { card->reset(cycles); }
uint64_t trapjaw_cycle(Card* card) { return card->now; }

uint32_t trapjaw_read32(Card* card, uint32_t address) { return card->read(address); }
void trapjaw_write32(Card* card, uint32_t address, uint32_t value) { card->write(address, value); }

// Where the event ring is; `drain` 1: the driver reads it while the card runs.
void trapjaw_drain(Card* card, uint32_t drain, uint32_t write_index, uint32_t read_index, uint32_t ring, uint32_t records) {
    card->settings = {write_index, read_index, ring, records};
    card->drain = drain;
}

// `paced` 0: frames go at their cycle (wire). 1: a frame waits until what it may cause fits.
void trapjaw_pace(Card* card, uint32_t paced, uint32_t backlog_limit, uint32_t settle) {
    card->paced = paced;
    card->backlog_limit = backlog_limit;
    card->settle = settle;
}

void trapjaw_stall(Card* card, uint32_t percent, uint64_t seed) {
    card->stall_percent = percent;
    card->random = seed * 0x9E3779B97F4A7C15ull | 1;
}

// Frame i is bytes[offsets[i]..offsets[i + 1]); `starts`, `weights`, `errors` may be null. `urgent` 1: before all that are not.
int32_t trapjaw_queue(Card* card, uint32_t port, const uint8_t* bytes, const uint32_t* offsets, uint32_t count,
                      const uint64_t* starts, const uint32_t* weights, const uint8_t* errors, uint32_t urgent) {
    if (port >= PORTS) return -1;
    auto copy = std::make_shared<std::vector<uint8_t>>(bytes, bytes + offsets[count]);
    copy->resize(copy->size() + 8);  // a last word is loaded whole
    for (uint32_t i = 0; i < count; i++) {
        uint32_t length = offsets[i + 1] - offsets[i];
        if (!length) return -1;
        auto& feed = card->feeds[port];
        (urgent ? feed.urgent : feed.waiting).push_back(
            {copy, offsets[i], length, weights ? weights[i] : 0, starts ? starts[i] : 0, errors && errors[i]});
    }
    return 0;
}

uint64_t trapjaw_waiting(Card* card, uint32_t port) { 
    return port < PORTS ? card->feeds[port].waiting.size() + card->feeds[port].urgent.size() : 0;
}

void trapjaw_run(Card* card, uint64_t cycles) {
    for (uint64_t i = 0; i < cycles; i++) card->cycle();
}

// Runs until a frame has left, but for so many cycles at most; returns how many frames wait to be taken.
uint64_t trapjaw_run_until_frame(Card* card, uint64_t cycles) {
    size_t before = card->frames.size();
    for (uint64_t i = 0; i < cycles && card->frames.size() == before; i++) card->cycle();
    return card->frames.size();
}

// Runs until nothing has moved for `settle` cycles, or for `limit` cycles; returns whether it is idle.
uint32_t trapjaw_run_until_idle(Card* card, uint64_t limit) {
    for (uint64_t i = 0; i < limit; i++) {
        card->cycle();
        if (card->idle()) return 1;
    }
    return card->idle();
}

// Results are borrowed until the next call on the card; `trapjaw_clear` forgets them.
uint64_t trapjaw_frames(Card* card, const SentFrame** frames, const uint8_t** bytes) {
    *frames = card->frames.data();
    *bytes = card->frame_bytes.data();
    return card->frames.size();
}
uint64_t trapjaw_frame_bytes(Card* card) { return card->frame_bytes.size(); }

uint64_t trapjaw_events(Card* card, const uint32_t** words, const uint64_t** cycles) {
    *words = card->events.data();
    *cycles = card->event_cycles.data();
    return card->event_cycles.size();
}

void trapjaw_clear_frames(Card* card) {
    card->frames.clear();
    card->frame_bytes.clear();
}

void trapjaw_clear_events(Card* card) {
    card->events.clear();
    card->event_cycles.clear();
}

// Broken stream rules of `orders`: changed while refused, paused within a frame, wrong byte count; and the first cycle of each.
void trapjaw_violations(Card* card, uint64_t out[6]) {
    const Violation* all[3] = {&card->unstable, &card->paused, &card->miscounted};
    for (int i = 0; i < 3; i++) {
        out[2 * i] = all[i]->count;
        out[2 * i + 1] = all[i]->first_cycle;
    }
}
}
#pragma GCC visibility pop
