/* A square wave of power: what an instrument reads of it, and its true integral.
 *
 * At its peak while CLOCK_MONOTONIC modulo the period is below the width, so that whoever reads
 * the same clock knows what was true. Energy is counted from the clock's zero. */

#include "abi.h"

#include <time.h>

enum { RING = 120 };
static const u64 RING_STEP_NS = 20000000, US_PER_NS = 1000;

wave_t wave_of(int device) { return look_up(device, "power").wave; }

static int at_peak(const wave_t *wave, u64 at_ns) { return at_ns % wave->period < wave->width; }

u64 wave_milliwatts(const wave_t *wave, u64 at_ns)
{
    return at_peak(wave, at_ns) ? wave->peak : wave->base;
}

static unsigned __int128 picojoules(const wave_t *wave, u64 until_ns)
{
    u64 rest = until_ns % wave->period;
    u64 high = until_ns / wave->period * wave->width + (rest < wave->width ? rest : wave->width);
    return (unsigned __int128)wave->base * (until_ns - high) + (unsigned __int128)wave->peak * high;
}

u64 wave_millijoules(const wave_t *wave, u64 until_ns)
{
    return (u64)(picojoules(wave, until_ns) / 1000000000u);
}

u64 wave_mean_milliwatts(const wave_t *wave, u64 until_ns, u64 window_ns)
{
    return (u64)((picojoules(wave, until_ns) - picojoules(wave, until_ns - window_ns)) / window_ns);
}

/* The driver's ring has Unix time: fixed to the monotonic clock once, so that samples stand still. */
static u64 unix_offset_ns(void)
{
    static u64 offset;
    if (!offset) {
        struct timespec time;
        clock_gettime(CLOCK_REALTIME, &time);
        offset = (u64)time.tv_sec * 1000000000u + (u64)time.tv_nsec - monotonic_ns();
    }
    return offset;
}

/* Total power (0) in mW, or utilisation (1) in percent, all of it at the peak and none beside. */
static unsigned sample(const wave_t *wave, const answer_t *answer, int type, u64 at_ns)
{
    if (!wave->period) return (unsigned)answer->values[0];
    if (type) return at_peak(wave, at_ns) ? 100 : 0;
    return (unsigned)wave_milliwatts(wave, at_ns);
}

nvmlReturn_t nvmlDeviceGetSamples(nvmlDevice_t device, int type, u64 after_us, int *value_type,
                                  unsigned *count, sample_t *out)
{
    answer_t answer;
    const char *call = type ? "nvmlDeviceGetSamples/1" : "nvmlDeviceGetSamples/0";
    nvmlReturn_t result = number(device, call, &answer);
    if (type != 0 && type != 1) return NOT_SUPPORTED;
    wave_t wave = wave_of(number_of(device));
    if (result != SUCCESS && !(result == NOT_SUPPORTED && !answer.error && wave.period))
        return result;
    *value_type = 1; /* unsigned int */
    if (!out) {
        *count = RING;
        return SUCCESS;
    }
    unsigned room = *count, filled = 0;
    u64 newest = monotonic_ns() / RING_STEP_NS;
    for (u64 step = newest - RING + 1; step <= newest && filled < room; step++) {
        u64 us = (step * RING_STEP_NS + unix_offset_ns()) / US_PER_NS;
        if (us <= after_us) continue;
        out[filled++] = (sample_t){us, {.ui = sample(&wave, &answer, type, step * RING_STEP_NS)}};
    }
    *count = filled;
    return filled ? SUCCESS : NOT_FOUND;
}
