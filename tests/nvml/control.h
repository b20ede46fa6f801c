/* The machine that the stand-in plays, as its control file says it (protocol: nvml_stub.c). */

#ifndef TIDEGAUGE_CONTROL_H
#define TIDEGAUGE_CONTROL_H

typedef int nvmlReturn_t;
enum {
    SUCCESS = 0,
    UNINITIALIZED = 1,
    INVALID_ARGUMENT = 2,
    NOT_SUPPORTED = 3,
    NOT_FOUND = 6,
    INSUFFICIENT_SIZE = 7,
    DRIVER_NOT_LOADED = 9,
    TIMEOUT = 10,
    LIB_RM_VERSION_MISMATCH = 18,
    VERSION_MISMATCH = 25
};

/* Devices are numbered: GPU g is g, slot s of its MIG devices is MIG(g, s). */
enum { DRIVER = -1, ANY_GPU = -2, MAX_GPUS = 128, MIG_SLOTS = 8, MAX_VALUES = 8, TEXT = 256 };
#define MIG(gpu, slot) (MAX_GPUS + (gpu) * MIG_SLOTS + (slot))
#define PARENT(device) (((device) - MAX_GPUS) / MIG_SLOTS)

typedef unsigned long long u64;

/* Milliwatts and nanoseconds of CLOCK_MONOTONIC; a period of 0 is no wave. */
typedef struct { u64 base, peak, period, width; } wave_t;

typedef struct { u64 code, sequence; } xid_t;

typedef struct {
    int found, error, log, count;
    double hang;
    u64 values[MAX_VALUES];
    char text[TEXT];
    wave_t wave;
} answer_t;

/* What the control file says now, not logged; without a file there is no driver. */
answer_t look_up(int device, const char *call);

/* Log the call, hang as long as the file says, then give what it says at that moment. */
answer_t ask(int device, const char *call);

/* The first Xid of the device whose sequence number is above `after`; its code is 0 for none. */
xid_t next_xid(int device, u64 after);

/* Called by nvmlInit: a driver that is reloaded after the first of them is lost to this process. */
void meet_driver(void);

u64 monotonic_ns(void);

#endif
