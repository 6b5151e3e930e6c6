// A compiled component: all of its input ports are one number, and so are its output ports; a call is one clock cycle.

#include <cstdint>
#include <cstring>
#include <memory>

#include "Vflat.h"
#include "verilated.h"

namespace {

constexpr uint32_t INPUT_WORDS = sizeof(Vflat::inputs) / 4, OUTPUT_WORDS = sizeof(Vflat::outputs) / 4;

class Flat {
  public:
    Flat() : context(new VerilatedContext), top(new Vflat(context.get())) {}
    ~Flat() { top->final(); }

    void reset() {
        std::memset(&top->inputs, 0, sizeof(top->inputs));
        top->rst = 1;
        top->eval();
        clock();
        top->rst = 0;
    }

    void cycle(const uint32_t* inputs, uint32_t* outputs) {
        std::memcpy(&top->inputs, inputs, sizeof(top->inputs));
        top->eval();
        std::memcpy(outputs, &top->outputs, sizeof(top->outputs));
        clock();
    }

  private:
    std::unique_ptr<VerilatedContext> context;
    std::unique_ptr<Vflat> top;

    void clock() {
        top->clk = 1;
        top->eval();
        top->clk = 0;
        top->eval();
    }
};

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

Flat* flat_create() { return new Flat(); }
void flat_destroy(Flat* flat) { delete flat; }
void flat_words(uint32_t out[2]) { out[0] = INPUT_WORDS, out[1] = OUTPUT_WORDS; }
void flat_reset(Flat* flat) { flat->reset(); }

// What is in ``outputs`` is as it was in the cycle with these inputs, before the clock's edge.
void flat_cycle(Flat* flat, const uint32_t* inputs, uint32_t* outputs) { flat->cycle(inputs, outputs); }
}
#pragma GCC visibility pop
