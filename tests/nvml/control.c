/* Reads the control file, writes its log, and hangs. Keeps nothing between calls, so needs no lock. */

#include "control.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int matches_gpu(const char *word, int gpu)
{
    if (!strcmp(word, "-")) return gpu == DRIVER;
    if (!strcmp(word, "*")) return gpu != DRIVER;
    return gpu == atoi(word);
}

static void take(answer_t *answer, const char *verb, const char *rest)
{
    if (!strcmp(verb, "log")) answer->log = 1;
    else if (!strcmp(verb, "error")) answer->error = atoi(rest);
    else if (!strcmp(verb, "hang")) answer->hang = atof(rest);
    else if (!strcmp(verb, "text")) {
        answer->found = 1;
        snprintf(answer->text, TEXT, "%s", rest);
    } else if (!strcmp(verb, "value")) {
        char *end;
        answer->found = 1;
        for (answer->count = 0; answer->count < MAX_VALUES; rest = end) {
            unsigned long long value = strtoull(rest, &end, 10);
            if (end == rest) break;
            answer->values[answer->count++] = value;
        }
    } else {
        fprintf(stderr, "nvml_stub: unknown verb %s\n", verb);
        abort();
    }
}

answer_t look_up(int gpu, const char *call)
{
    answer_t answer = {0};
    const char *path = getenv("TIDEGAUGE_NVML_CONTROL");
    FILE *file = path ? fopen(path, "re") : NULL;
    char line[512], who[16], what[96], verb[16];
    int rest;
    if (!file) {
        answer.error = DRIVER_NOT_LOADED;
        return answer;
    }
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (sscanf(line, "%15s %95s %15s %n", who, what, verb, &rest) < 3) continue;
        if (!strcmp(verb, "log")) answer.log = 1;
        else if (matches_gpu(who, gpu) && (!strcmp(what, "*") || !strcmp(what, call)))
            take(&answer, verb, line + rest);
    }
    fclose(file);
    return answer;
}

static void write_log(int gpu, const char *call)
{
    char path[4096], line[128];
    int length = gpu == DRIVER ? snprintf(line, sizeof line, "- %s\n", call)
                               : snprintf(line, sizeof line, "%d %s\n", gpu, call);
    snprintf(path, sizeof path, "%s.log", getenv("TIDEGAUGE_NVML_CONTROL"));
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0 || write(file, line, (size_t)length) != length) abort();
    close(file);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

answer_t ask(int gpu, const char *call)
{
    double since = now();
    answer_t answer = look_up(gpu, call);
    if (answer.log) write_log(gpu, call);
    while (answer.hang > now() - since) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        answer = look_up(gpu, call);
    }
    return answer;
}
