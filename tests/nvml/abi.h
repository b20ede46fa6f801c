/* NVML's structs, as pynvml declares them, and what the functions of the stand-in share. */

#ifndef TIDEGAUGE_ABI_H
#define TIDEGAUGE_ABI_H

#include "control.h"

typedef struct nvmlDevice { char opaque; } *nvmlDevice_t;

typedef struct { unsigned gpu, memory; } utilization_t;
typedef struct { u64 total, free, used; } memory_t;
typedef struct { unsigned version; u64 total, reserved, free, used; } memory_v2_t;
typedef struct { unsigned version; int sensor, temperature; } temperature_v1_t;
typedef struct { unsigned version; int celsius; } margin_v1_t;
typedef struct { unsigned environment, feature, dev_tools; } confidential_t;
typedef struct {
    char bus_id_legacy[16];
    unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
    char bus_id[32];
} pci_t;
typedef union {
    double d; unsigned ui; unsigned long ul; u64 ull; long long sll; int si; unsigned short us;
} value_t;
typedef struct {
    unsigned field, scope;
    long long timestamp, latency_usec;
    int value_type;
    nvmlReturn_t result;
    value_t value;
} field_t;
typedef struct { u64 microseconds; value_t value; } sample_t;
typedef struct {
    nvmlDevice_t device;
    u64 type, data;
    unsigned gpu_instance, compute_instance;
} event_t;
typedef struct { unsigned pid; u64 memory; unsigned gpu_instance, compute_instance; } process_t;
typedef struct { unsigned pid; u64 microseconds; unsigned sm, memory, encoder, decoder; } usage_t;
typedef struct gpm_sample *gpm_sample_t;
typedef struct {
    unsigned id;
    nvmlReturn_t result;
    double value;
    char *short_name, *long_name, *unit;
} gpm_metric_t;
typedef struct {
    unsigned version, count;
    gpm_sample_t first, second;
    gpm_metric_t metrics[]; /* as many as the header knew; `count` of them are asked for */
} gpm_metrics_t;
typedef struct { unsigned version, supported; } gpm_support_t;

_Static_assert(sizeof(memory_v2_t) == 40, "NVML's version word of nvmlMemory_v2 says 0x28");
_Static_assert(sizeof(temperature_v1_t) == 12, "nvmlTemperature_v1 says 0x0C");
_Static_assert(sizeof(margin_v1_t) == 8, "nvmlMarginTemperature_v1 says 0x08");
_Static_assert(sizeof(confidential_t) == 12, "nvmlConfComputeSystemState_t");
_Static_assert(sizeof(pci_t) == 68, "nvmlPciInfo_t");
_Static_assert(sizeof(field_t) == 40, "nvmlFieldValue_t");
_Static_assert(sizeof(sample_t) == 16, "nvmlSample_t");
_Static_assert(sizeof(event_t) == 32, "nvmlEventData_t");
_Static_assert(sizeof(process_t) == 24, "nvmlProcessInfo_v2_t, which v3 of the call fills");
_Static_assert(sizeof(usage_t) == 32, "nvmlProcessUtilizationSample_t");
_Static_assert(sizeof(gpm_metric_t) == 40, "nvmlGpmMetric_t");
_Static_assert(sizeof(gpm_metrics_t) == 24, "nvmlGpmMetricsGet_t without its metrics");
_Static_assert(sizeof(gpm_support_t) == 8, "nvmlGpmSupport_t");

#define VERSION(type, number) ((unsigned)sizeof(type) | (unsigned)(number) << 24)

/* Whether NVML is open in this process. */
int is_open(void);

/* The handle's number; DRIVER if it is none of ours. */
int number_of(nvmlDevice_t device);
nvmlDevice_t handle_of(int device);

nvmlReturn_t result_of(const answer_t *answer);

/* Ask the file for a call on the device; SUCCESS fills `answer`. */
nvmlReturn_t number(nvmlDevice_t device, const char *call, answer_t *answer);
nvmlReturn_t unsigned_of(nvmlDevice_t device, const char *call, unsigned *out);
nvmlReturn_t long_of(nvmlDevice_t device, const char *call, u64 *out);
nvmlReturn_t text_of(nvmlDevice_t device, const char *call, char *out, unsigned length);

/* The device's wave, if its file gives it one. */
wave_t wave_of(int device);
u64 wave_milliwatts(const wave_t *wave, u64 at_ns);
u64 wave_millijoules(const wave_t *wave, u64 until_ns);
u64 wave_mean_milliwatts(const wave_t *wave, u64 until_ns, u64 window_ns);

#endif
