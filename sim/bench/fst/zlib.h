// Stands in for <zlib.h> where the system has none, so that Verilator's FST writer builds: a valid stream of stored
// blocks. Waveform files get larger, nothing else changes.
#pragma once
#include <cstring>

typedef unsigned char Bytef;
typedef unsigned long uLong;
typedef unsigned long uLongf;
enum { Z_OK = 0, Z_BUF_ERROR = -5 };

inline uLong compressBound(uLong size) { return size + 5 * (size / 65535 + 1) + 6; }

inline int compress2(Bytef *target, uLongf *target_size, const Bytef *source, uLong size, int /*level*/) {
    if (*target_size < compressBound(size)) return Z_BUF_ERROR;
    Bytef *out = target;
    *out++ = 0x78;
    *out++ = 0x01;
    uLong a = 1, b = 0, at = 0;
    do {
        const uLong part = size - at < 65535 ? size - at : 65535;
        *out++ = at + part == size;
        *out++ = part & 0xff;
        *out++ = part >> 8;
        *out++ = ~part & 0xff;
        *out++ = (~part >> 8) & 0xff;
        std::memcpy(out, source + at, part);
        out += part;
        for (uLong i = 0; i < part; i++) b = (b + (a = (a + source[at + i]) % 65521)) % 65521;
        at += part;
    } while (at < size);
    for (const uLong half : {b, a}) {
        *out++ = half >> 8;
        *out++ = half & 0xff;
    }
    *target_size = out - target;
    return Z_OK;
}
