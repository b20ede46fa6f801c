/* The machine that the stand-in plays, as its control file says it (protocol: nvml_stub.c). */

#ifndef TIDEGAUGE_CONTROL_H
#define TIDEGAUGE_CONTROL_H

typedef int nvmlReturn_t;
enum {
    SUCCESS = 0,
    UNINITIALIZED = 1,
    INVALID_ARGUMENT = 2,
    NOT_SUPPORTED = 3,
    INSUFFICIENT_SIZE = 7,
    DRIVER_NOT_LOADED = 9,
    VERSION_MISMATCH = 25
};

enum { DRIVER = -1, MAX_VALUES = 8, TEXT = 256 };

typedef struct {
    int found, error, log, count;
    double hang;
    unsigned long long values[MAX_VALUES];
    char text[TEXT];
} answer_t;

/* What the control file says now, not logged; without a file there is no driver. */
answer_t look_up(int gpu, const char *call);

/* Log the call, hang as long as the file says, then give what it says at that moment. */
answer_t ask(int gpu, const char *call);

#endif
