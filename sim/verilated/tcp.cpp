// One TCP session of the card, compiled, behind a small C ABI: the wire and the application around it, and many cycles a call.

#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "Vtcp.h"
#include "verilated.h"

namespace {

constexpr int PULSES = 7;  // COUNTED of hw/net/tcp_session.py, in its order

struct Frame {
    std::vector<uint8_t> bytes;
    uint64_t start;
    bool error;
};

struct State {
    uint64_t now;
    uint32_t state, unacknowledged, next, expected, downs, reason, packets_left, frames_left;
    uint64_t pulses[PULSES];
};

struct Sent {
    uint64_t cycle;
    uint32_t length, reserved;
};

class Tcp {
  public:
    Tcp() : context(new VerilatedContext), top(new Vtcp(context.get())) { reset(); }
    ~Tcp() { top->final(); }

    void reset() {
        wire.clear(), packets.clear(), frames.clear(), frame_bytes.clear(), bytes.clear(), partial.clear();
        position = word = wait = gap = 0;
        std::memset(&shown, 0, sizeof shown);
        top->frames___05Fvalid = top->packet___05Fvalid = top->open = top->close = top->cut = top->tick = 0;
        top->transmit___05Fready = top->bytes___05Fready = 0;
        top->rst = 1;
        clock();
        top->rst = 0;
        shown.now = 0;
    }

    void configure(const uint32_t* address, uint32_t initial, uint32_t timeout, uint32_t keep_alive, uint32_t tries, uint32_t every) {
        for (int i = 0; i < 6; i++) top->address[i] = address[i];
        top->initial_sequence = initial, top->timeout = timeout, top->keep_alive = keep_alive, top->tries = tries, tick_every = every;
    }

    void put_frame(const uint8_t* data, uint32_t length, uint64_t start, bool error) {
        wire.push_back({{data, data + length}, start, error});
    }

    void put_packet(const uint8_t* data, uint32_t length) { packets.push_back({data, data + length}); }

    void pulse(uint32_t which) { pulses |= 1u << which; }

    void stall(uint32_t transmit, uint32_t read, uint32_t packet, uint64_t seed) {
        transmit_stall = transmit, read_stall = read, packet_stall = packet, random = seed * 0x9E3779B97F4A7C15ull | 1;
    }

    // Runs until a frame has left, or for so many cycles.
    void run(uint64_t cycles) {
        size_t before = frames.size();
        for (uint64_t i = 0; i < cycles && frames.size() == before; i++) cycle();
        shown.state = top->state, shown.unacknowledged = top->unacknowledged, shown.next = top->next, shown.expected = top->expected;
        shown.packets_left = packets.size(), shown.frames_left = wire.size();
    }

    State shown{};
    std::vector<Sent> frames;
    std::vector<uint8_t> frame_bytes, bytes;

  private:
    std::unique_ptr<VerilatedContext> context;
    std::unique_ptr<Vtcp> top;
    std::deque<Frame> wire;
    std::deque<std::vector<uint8_t>> packets;
    std::vector<uint8_t> partial;
    uint64_t first_cycle = 0, random = 1, tick_every = 16;
    uint32_t position = 0, word = 0, wait = 0, gap = 0, pulses = 0, transmit_stall = 0, read_stall = 0, packet_stall = 0;

    void clock() {
        top->clk = 1;
        top->eval();
        top->clk = 0;
        top->eval();
        shown.now++;
    }

    bool by_chance(uint64_t percent) {
        if (!percent) return false;
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        return random % 100 < percent;
    }

    void cycle() {
        drive_wire();
        drive_packet();
        top->open = pulses & 1, top->close = pulses >> 1 & 1, top->cut = pulses >> 2 & 1, pulses = 0;
        top->tick = shown.now % tick_every == 0;
        top->transmit___05Fready = !by_chance(transmit_stall);
        top->bytes___05Fready = !by_chance(read_stall);
        top->eval();
        sample();
        clock();
    }

    void drive_wire() {
        top->frames___05Fvalid = 0;
        if (gap) {
            gap--;
            return;
        }
        if (wire.empty() || wire.front().start > shown.now) return;
        Frame& frame = wire.front();
        uint32_t count = std::min<uint32_t>(8, frame.bytes.size() - position);
        uint64_t data = 0xEEEEEEEEEEEEEEEEull;
        std::memcpy(&data, &frame.bytes[position], count);
        position += count;
        bool last = position == frame.bytes.size();
        top->frames___05Fvalid = 1;
        top->frames___05Fpayload[0] = uint32_t(data), top->frames___05Fpayload[1] = uint32_t(data >> 32);
        top->frames___05Fpayload[2] = count | uint32_t(last) << 4 | uint32_t(last && frame.error) << 5;
        if (last) wire.pop_front(), position = 0, gap = 2;
    }

    void drive_packet() {
        top->packet___05Fvalid = 0;
        if (packets.empty()) return;
        if (word == 0 && wait == 0 && by_chance(packet_stall)) return;
        const auto& packet = packets.front();
        uint32_t length = packet.size(), filled = std::max<uint32_t>(6, length), sum = 0;
        for (uint32_t i = 0; i < length; i++) sum += i & 1 ? packet[i] : packet[i] << 8;
        if (wait < 3) sum = 0xABCDEF ^ sum;  // not known yet
        uint32_t count = std::min<uint32_t>(8, filled - 8 * word), have = length > 8 * word ? std::min<uint32_t>(8, length - 8 * word) : 0;
        uint64_t data = count == 8 ? 0 : 0xDDDDDDDDDDDDDDDDull << 8 * count;
        uint64_t real = 0;
        if (have) std::memcpy(&real, &packet[8 * word], have);
        data |= real;
        bool last = 8 * word + count == filled;
        uint64_t tail = count | uint64_t(last) << 4 | uint64_t(length) << 5;
        top->packet___05Fpayload[0] = uint32_t(data), top->packet___05Fpayload[1] = uint32_t(data >> 32);
        top->packet___05Fpayload[2] = uint32_t(tail), top->packet_sum = sum & 0xFFFFFF;
        top->packet___05Fvalid = 1;
    }

    void sample() {
        if (top->packet___05Fvalid) {
            wait++;
            if (top->packet___05Fready) {
                word++;
                if (top->packet___05Fpayload[2] >> 4 & 1) packets.pop_front(), word = wait = 0;
            }
        }
        if (top->transmit___05Fvalid && top->transmit___05Fready) {
            if (partial.empty()) first_cycle = shown.now;
            const uint32_t tail = top->transmit___05Fpayload[2], count = tail & 15;
            for (uint32_t i = 0; i < count; i++) partial.push_back(top->transmit___05Fpayload[i / 4] >> 8 * (i % 4));
            if (tail >> 4 & 1) {
                frames.push_back({first_cycle, uint32_t(partial.size()), 0});
                frame_bytes.insert(frame_bytes.end(), partial.begin(), partial.end());
                partial.clear();
            }
        }
        if (top->bytes___05Fvalid && top->bytes___05Fready) bytes.push_back(top->bytes___05Fpayload);
        if (top->down) shown.downs++, shown.reason = top->reason;
        const bool seen[PULSES] = {bool(top->retransmitted), bool(top->refused), bool(top->duplicate_ack), bool(top->out_of_order),
                                   bool(top->challenged), bool(top->fast_retransmit), bool(top->timed_out)};
        for (int i = 0; i < PULSES; i++) shown.pulses[i] += seen[i];
    }
};

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

Tcp* tcp_create() { return new Tcp(); }
void tcp_destroy(Tcp* tcp) { delete tcp; }
void tcp_reset(Tcp* tcp) { tcp->reset(); }
void tcp_configure(Tcp* tcp, const uint32_t* address, uint32_t initial, uint32_t timeout, uint32_t keep_alive, uint32_t tries,
                   uint32_t every) {
    tcp->configure(address, initial, timeout, keep_alive, tries, every);
}
void tcp_stall(Tcp* tcp, uint32_t transmit, uint32_t read, uint32_t packet, uint64_t seed) { tcp->stall(transmit, read, packet, seed); }
void tcp_frame(Tcp* tcp, const uint8_t* data, uint32_t length, uint64_t start, uint32_t error) {
    tcp->put_frame(data, length, start, error);
}
void tcp_packet(Tcp* tcp, const uint8_t* data, uint32_t length) { tcp->put_packet(data, length); }
void tcp_pulse(Tcp* tcp, uint32_t which) { tcp->pulse(which); }
void tcp_run(Tcp* tcp, uint64_t cycles, State* state) {
    tcp->run(cycles);
    *state = tcp->shown;
}

// Oldest frame that left, and all bytes that were read since the last call; 0: there is none.
uint32_t tcp_take_frame(Tcp* tcp, uint8_t* out, uint64_t* cycle) {
    if (tcp->frames.empty()) return 0;
    Sent sent = tcp->frames.front();
    std::memcpy(out, tcp->frame_bytes.data(), sent.length);
    *cycle = sent.cycle;
    tcp->frames.erase(tcp->frames.begin());
    tcp->frame_bytes.erase(tcp->frame_bytes.begin(), tcp->frame_bytes.begin() + sent.length);
    return sent.length;
}
uint32_t tcp_take_bytes(Tcp* tcp, uint8_t* out, uint32_t most) {
    uint32_t count = std::min<size_t>(most, tcp->bytes.size());
    std::memcpy(out, tcp->bytes.data(), count);
    tcp->bytes.erase(tcp->bytes.begin(), tcp->bytes.begin() + count);
    return count;
}
}
#pragma GCC visibility pop
