"""The registers of the clock and of the latency histogram; a part of registers.py."""

from hw.host_interface.map_types import Access, Field, Register

RO, RW, WO = Access.RO, Access.RW, Access.WO

TELEMETRY = (
    Register("TAI_TIME", 0x0F00, RO, "Nanoseconds since 1970-01-01 00:00:00 TAI; 0 until TAI_SET.", bits=64),
    Register("TAI_SET", 0x0F08, WO, "It is so late now, and the clock runs from now on.", bits=64),
    Register("TAI_INCREMENT", 0x0F10, RW, "What the clock grows by each cycle, in 2^-32 ns.", bits=40),
    Register("TAI_ADJUST", 0x0F18, WO, "So many ns are added once, two's complement."),
    Register("LATENCY_BIN", 0x0F20, RW, "Which bin of the tick-to-trade histogram LATENCY_BIN_COUNT shows. Up to 31 cycles each latency "
             "has its own bin; bin 16 e + m, with m from 0 to 15 and e from 2 on, has those from (16 + m) 2^(e - 1) cycles on, to the next "
             "bin.", live=True, fields=(
        Field("bin", 0, 9, "0 to 463."), Field("clearing", 30, 1, "The histogram is being cleared; ignored when written."),
        Field("busy", 31, 1, "It is not there yet; ignored when written."))),
    Register("LATENCY_BIN_COUNT", 0x0F28, RO, "Orders whose latency fell into the bin.", bits=48),
    Register("LATENCY_COUNT", 0x0F30, RO, "Orders that left because of a feed message, since LATENCY_CLEAR.", bits=48),
    Register("LATENCY_SUM", 0x0F38, RO, "Sum of their latencies, each as in ORDER_SENT, in cycles.", bits=64),
    Register("LATENCY_LEAST", 0x0F40, RO, "The smallest; all ones while there is none."),
    Register("LATENCY_MOST", 0x0F44, RO, "The largest."),
    Register("LATENCY_CLEAR", 0x0F48, WO, "Write 1: the histogram begins anew, within 512 cycles.", bits=1),
)
