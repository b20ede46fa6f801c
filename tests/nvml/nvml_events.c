/* Event sets: Xids that the control file lists, each delivered once to each set. */

#include "abi.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

typedef struct event_set {
    int registered[MAX_GPUS];
    u64 seen[MAX_GPUS];
} *event_set_t;

static const u64 XID_CRITICAL = 0x8;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

nvmlReturn_t nvmlEventSetCreate(event_set_t *set)
{
    if (!is_open()) return UNINITIALIZED;
    answer_t answer = ask(DRIVER, "nvmlEventSetCreate");
    if (answer.error) return answer.error;
    *set = calloc(1, sizeof **set);
    return SUCCESS;
}

nvmlReturn_t nvmlEventSetFree(event_set_t set)
{
    answer_t answer = ask(DRIVER, "nvmlEventSetFree");
    if (answer.error) return answer.error;
    free(set);
    return SUCCESS;
}

/* Supported unless the file says that it is not: most devices do. */
nvmlReturn_t nvmlDeviceRegisterEvents(nvmlDevice_t device, u64 types, event_set_t set)
{
    int gpu = number_of(device);
    answer_t answer;
    if (gpu == DRIVER || gpu >= MAX_GPUS || !(types & XID_CRITICAL)) return INVALID_ARGUMENT;
    number(device, "nvmlDeviceRegisterEvents", &answer);
    if (answer.error) return answer.error;
    pthread_mutex_lock(&guard);
    set->registered[gpu] = 1;
    for (xid_t past = {0}; (past = next_xid(gpu, past.sequence)).code;)
        set->seen[gpu] = past.sequence;
    pthread_mutex_unlock(&guard);
    return SUCCESS;
}

static int deliver(event_set_t set, event_t *event)
{
    int delivered = 0;
    pthread_mutex_lock(&guard);
    for (int gpu = 0; gpu < MAX_GPUS && !delivered; gpu++) {
        xid_t xid = set->registered[gpu] ? next_xid(gpu, set->seen[gpu]) : (xid_t){0};
        if (!xid.code) continue;
        set->seen[gpu] = xid.sequence;
        *event = (event_t){handle_of(gpu), XID_CRITICAL, xid.code, 0xFFFFFFFF, 0xFFFFFFFF};
        delivered = 1;
    }
    pthread_mutex_unlock(&guard);
    return delivered;
}

nvmlReturn_t nvmlEventSetWait_v2(event_set_t set, event_t *event, unsigned timeout_ms)
{
    u64 until = monotonic_ns() + timeout_ms * (u64)1000000;
    if (!is_open()) return UNINITIALIZED;
    answer_t answer = ask(DRIVER, "nvmlEventSetWait_v2");
    for (;;) {
        if (answer.error) return answer.error;
        if (deliver(set, event)) return SUCCESS;
        if (monotonic_ns() >= until) return TIMEOUT;
        u64 left = until - monotonic_ns();
        nanosleep(&(struct timespec){.tv_nsec = left < 20000000 ? (long)left : 20000000}, NULL);
        answer = look_up(DRIVER, "nvmlEventSetWait_v2");
    }
}
