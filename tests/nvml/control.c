/* Keeps the control file's lines until stat(2) says that there is another file; writes its log.
 *
 * A look-up costs one stat and a scan of the device's own lines, about 1 µs, so that a benchmark
 * measures us and not the stand-in. One mutex guards the lines; nothing points into them. */

#include "control.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef enum { VALUE, FAIL, HANG, STRING, LOG, WAVE, XID, RELOAD } verb_t;

static const struct { const char *word; verb_t verb; } VERBS[] = {
    {"value", VALUE}, {"error", FAIL}, {"hang", HANG}, {"text", STRING},
    {"log", LOG}, {"wave", WAVE}, {"xid", XID}, {"reload", RELOAD},
};

enum { BUCKETS = MIG(MAX_GPUS, 0) - ANY_GPU, NONE = -1 };

typedef struct {
    int device, count;
    int next; /* the next line of the same device, or NONE */
    verb_t verb;
    unsigned call; /* hash of the function's name; 0 for any */
    double seconds;
    u64 values[MAX_VALUES];
    char text[TEXT];
} line_t;

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static line_t *lines;
static int line_count;
static struct { int first, last; } buckets[BUCKETS]; /* by device, ANY_GPU first */
static int present, logging;
static struct stat last;
static u64 reloads; /* what the file says */
static u64 met;     /* what it said at this process's first opening, plus 1; 0 before that */

static unsigned hash_of(const char *text)
{
    unsigned hash = 2166136261u; /* FNV-1a */
    while (*text) hash = (hash ^ (unsigned char)*text++) * 16777619u;
    return hash ? hash : 1;
}

static int device_of(const char *word)
{
    const char *slot = strchr(word, ':');
    int gpu = atoi(word);
    if (!strcmp(word, "-")) return DRIVER;
    if (!strcmp(word, "*")) return ANY_GPU;
    if (gpu < 0 || gpu >= MAX_GPUS || (slot && atoi(slot + 1) >= MIG_SLOTS)) {
        fprintf(stderr, "nvml_stub: no device %s, only %d GPUs of %d\n", word, MAX_GPUS, MIG_SLOTS);
        abort();
    }
    return slot ? MIG(gpu, atoi(slot + 1)) : gpu;
}

static verb_t verb_of(const char *word)
{
    for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++)
        if (!strcmp(word, VERBS[i].word)) return VERBS[i].verb;
    fprintf(stderr, "nvml_stub: unknown verb %s\n", word);
    abort();
}

static void take(line_t *line, const char *rest)
{
    char *end;
    snprintf(line->text, TEXT, "%s", rest);
    line->seconds = atof(rest);
    for (; line->count < MAX_VALUES; rest = end) {
        u64 value = strtoull(rest, &end, 10);
        if (end == rest) break;
        line->values[line->count++] = value;
    }
}

static void append(int number)
{
    line_t *line = &lines[number];
    int bucket = line->device - ANY_GPU;
    line->next = NONE;
    if (buckets[bucket].first == NONE) buckets[bucket].first = number;
    else lines[buckets[bucket].last].next = number;
    buckets[bucket].last = number;
}

static void forget_lines(void)
{
    free(lines);
    lines = NULL;
    line_count = logging = 0;
    reloads = 0;
    for (int i = 0; i < BUCKETS; i++) buckets[i].first = NONE;
}

static void read_lines(FILE *file)
{
    char text[512], who[16], what[96], verb[16];
    int room = 0, rest;
    forget_lines();
    while (fgets(text, sizeof text, file)) {
        text[strcspn(text, "\n")] = 0;
        if (sscanf(text, "%15s %95s %15s %n", who, what, verb, &rest) < 3) continue;
        if (line_count == room) {
            lines = realloc(lines, (size_t)(room = room * 2 + 64) * sizeof *lines);
            if (!lines) abort();
        }
        line_t *line = &lines[line_count];
        *line = (line_t){.device = device_of(who), .verb = verb_of(verb)};
        line->call = strcmp(what, "*") ? hash_of(what) : 0;
        take(line, text + rest);
        append(line_count++);
        if (line->verb == RELOAD) reloads = line->values[0];
        if (line->verb == LOG) logging = 1;
    }
}

static int same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Holds the mutex on return. */
static void refresh(void)
{
    const char *path = getenv("TIDEGAUGE_NVML_CONTROL");
    struct stat now = {0};
    pthread_mutex_lock(&guard);
    if (!path || stat(path, &now)) {
        present = 0;
        return;
    }
    if (present && same_file(&now, &last)) return;
    FILE *file = fopen(path, "re");
    if (!file || fstat(fileno(file), &last)) abort();
    read_lines(file);
    fclose(file);
    present = 1;
}

static void apply(answer_t *answer, const line_t *line)
{
    switch (line->verb) {
    case FAIL: answer->error = (int)line->values[0]; break;
    case HANG: answer->hang = line->seconds; break;
    case STRING:
        answer->found = 1;
        memcpy(answer->text, line->text, TEXT);
        break;
    case VALUE:
        answer->found = 1;
        answer->count = line->count;
        memcpy(answer->values, line->values, sizeof answer->values);
        break;
    case WAVE:
        answer->wave = (wave_t){line->values[0], line->values[1],
                                line->values[2] * 1000000, line->values[3] * 1000000};
        break;
    case LOG:
    case XID:
    case RELOAD: break;
    }
}

static int first_of(int device) { return buckets[device - ANY_GPU].first; }

/* The chains that concern a device, in the file's order: its own, any GPU's, and of the GPU that a
 * MIG device is on what it suffers. */
static void apply_all(answer_t *answer, int device, unsigned call)
{
    int chains[3] = {first_of(device), device == DRIVER ? NONE : first_of(ANY_GPU),
                     device < MAX_GPUS ? NONE : first_of(PARENT(device))};
    for (;;) {
        int next = NONE;
        for (int i = 0; i < 3; i++)
            if (chains[i] != NONE && (next == NONE || chains[i] < chains[next])) next = i;
        if (next == NONE) return;
        const line_t *line = &lines[chains[next]];
        chains[next] = line->next;
        int suffered = line->verb == FAIL || line->verb == HANG;
        if ((line->call == call || !line->call) && (next < 2 || suffered)) apply(answer, line);
    }
}

answer_t look_up(int device, const char *call)
{
    answer_t answer = {0};
    unsigned wanted = hash_of(call);
    refresh();
    if (!present) answer.error = DRIVER_NOT_LOADED;
    else {
        apply_all(&answer, device, wanted);
        answer.log = logging;
        if (met && met != reloads + 1) answer.error = LIB_RM_VERSION_MISMATCH;
    }
    pthread_mutex_unlock(&guard);
    return answer;
}

void meet_driver(void)
{
    refresh();
    if (present && !met) met = reloads + 1;
    pthread_mutex_unlock(&guard);
}

xid_t next_xid(int device, u64 after)
{
    xid_t found = {0};
    refresh();
    for (int i = present ? first_of(device) : NONE; i != NONE; i = lines[i].next) {
        u64 code = lines[i].values[0], sequence = lines[i].values[1];
        if (lines[i].verb != XID || sequence <= after) continue;
        if (!found.code || sequence < found.sequence) found = (xid_t){code, sequence};
    }
    pthread_mutex_unlock(&guard);
    return found;
}

static void write_log(int device, const char *call)
{
    char path[4096], text[128];
    int length = device == DRIVER   ? snprintf(text, sizeof text, "- %s\n", call)
                 : device < MAX_GPUS ? snprintf(text, sizeof text, "%d %s\n", device, call)
                                     : snprintf(text, sizeof text, "%d:%d %s\n", PARENT(device),
                                                (device - MAX_GPUS) % MIG_SLOTS, call);
    snprintf(path, sizeof path, "%s.log", getenv("TIDEGAUGE_NVML_CONTROL"));
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0 || write(file, text, (size_t)length) != length) abort();
    close(file);
}

u64 monotonic_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (u64)time.tv_sec * 1000000000u + (u64)time.tv_nsec;
}

answer_t ask(int device, const char *call)
{
    u64 since = monotonic_ns();
    answer_t answer = look_up(device, call);
    if (answer.log) write_log(device, call);
    while (answer.hang > (double)(monotonic_ns() - since) / 1e9) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        answer = look_up(device, call);
    }
    return answer;
}
