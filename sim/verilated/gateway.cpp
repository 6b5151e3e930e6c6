// The compiled gateway: all of its input ports are one number, and so are its output ports; a call is one clock cycle.

#include <cstdint>
#include <cstring>
#include <memory>

#include "Vgateway.h"
#include "verilated.h"

namespace {

constexpr uint32_t INPUT_WORDS = sizeof(Vgateway::inputs) / 4, OUTPUT_WORDS = sizeof(Vgateway::outputs) / 4;

class Gateway {
  public:
    Gateway() : context(new VerilatedContext), top(new Vgateway(context.get())) {}
    ~Gateway() { top->final(); }

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
    std::unique_ptr<Vgateway> top;

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

Gateway* gateway_create() { return new Gateway(); }
void gateway_destroy(Gateway* gateway) { delete gateway; }
void gateway_words(uint32_t out[2]) { out[0] = INPUT_WORDS, out[1] = OUTPUT_WORDS; }
void gateway_reset(Gateway* gateway) { gateway->reset(); }

// What is in ``outputs`` is as it was in the cycle with these inputs, before the clock's edge.
void gateway_cycle(Gateway* gateway, const uint32_t* inputs, uint32_t* outputs) { gateway->cycle(inputs, outputs); }
}
#pragma GCC visibility pop
