"""Agents: what stands at each port of the card. Feeds and host are driven by sequences, the order port is only watched."""

from cocotb.triggers import RisingEdge
from pyuvm import ConfigDB, uvm_agent, uvm_analysis_port, uvm_component, uvm_driver, uvm_monitor, uvm_sequence_item, uvm_sequencer

from sim.bench.words import frame_words


class FrameItem(uvm_sequence_item):
    """A frame for a feed port, or one that left on the order port."""

    def __init__(self, data: bytes, *, error: bool = False):
        super().__init__("frame")
        self.data, self.error = data, error


class AccessItem(uvm_sequence_item):
    """A register access: a write of ``value``, or a read, whose answer ``value`` then is."""

    def __init__(self, name: str, value: int | None = None, *index: int):
        super().__init__("access")
        self.name, self.value, self.index, self.write = name, value, index, value is not None


class _Part(uvm_component):
    def build_phase(self):
        self.card = ConfigDB().get(self, "", "CARD")


class FeedDriver(_Part, uvm_driver):
    """Puts frames on a feed port, a little ahead of what it takes, so that they can follow each other without a pause."""

    AHEAD = 60

    async def run_phase(self):
        source, tb = self.card.source(self.number, self.line), self.card.tb
        edge = RisingEdge(tb.dut.clk)
        while True:
            item = await self.seq_item_port.get_next_item()
            source.send(*frame_words(tb.rng, item.data, error=item.error))
            while source.waiting > self.AHEAD:
                await edge
            self.seq_item_port.item_done()


class FeedMonitor(_Part, uvm_monitor):
    """Tells of every frame that has passed a feed port, with what the golden venue made of it."""

    def build_phase(self):
        super().build_phase()
        self.ap = uvm_analysis_port("ap", self)

    async def run_phase(self):
        board, edge, told = self.card.board.venues[self.number].lines[self.line], RisingEdge(self.card.tb.dut.clk), 0
        while True:
            await edge
            while told < len(board.outcomes):
                self.ap.write((self.number, board.collector.frames[told][2], board.outcomes[told]))
                told += 1


class FeedAgent(uvm_agent):
    """Sequencer, driver and monitor of one feed port."""

    def __init__(self, name, parent, number: int, line: int):
        super().__init__(name, parent)
        self.number, self.line = number, line

    def build_phase(self):
        self.sequencer = uvm_sequencer("sequencer", self)
        self.driver, self.monitor = FeedDriver("driver", self), FeedMonitor("monitor", self)
        for part in (self.driver, self.monitor):
            part.number, part.line = self.number, self.line

    def connect_phase(self):
        self.driver.seq_item_port.connect(self.sequencer.seq_item_export)


class HostDriver(_Part, uvm_driver):
    """Makes register accesses, one after the other."""

    async def run_phase(self):
        while True:
            item = await self.seq_item_port.get_next_item()
            if item.write:
                self.card.bus.write(item.name, item.value, *item.index)
                await self.card.bus.settle()
            else:
                item.value = await self.card.bus.read(item.name, *item.index)
            self.seq_item_port.item_done()


class HostMonitor(_Part, uvm_monitor):
    """Tells of every register that was written, in the cycle in which it was."""

    def build_phase(self):
        super().build_phase()
        self.ap = uvm_analysis_port("ap", self)
        self.card.bus.on_write(lambda name, index, value: self.ap.write((name, index, value)))


class HostAgent(uvm_agent):
    """Sequencer, driver and monitor of the register bus."""

    def build_phase(self):
        self.sequencer = uvm_sequencer("sequencer", self)
        self.driver, self.monitor = HostDriver("driver", self), HostMonitor("monitor", self)

    def connect_phase(self):
        self.driver.seq_item_port.connect(self.sequencer.seq_item_export)


class OrderMonitor(_Part, uvm_monitor):
    """Tells of every order frame that has left."""

    def build_phase(self):
        super().build_phase()
        self.ap = uvm_analysis_port("ap", self)

    async def run_phase(self):
        board, edge, told = self.card.board, RisingEdge(self.card.tb.dut.clk), 0
        while True:
            await edge
            while told < len(board.collector.frames):
                self.ap.write(FrameItem(board.collector.frames[told][2]))
                told += 1


class OrderAgent(uvm_agent):
    """The order port: passive, its back-pressure is the sink's."""

    def build_phase(self):
        self.monitor = OrderMonitor("monitor", self)
