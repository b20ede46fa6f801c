/* How big the stand-in's structs are, for a test to compare with pynvml's. */

#include "abi.h"

#include <string.h>

static const struct { const char *pynvml; unsigned size; } SIZES[] = {
    {"c_nvmlUtilization_t", sizeof(utilization_t)},
    {"c_nvmlMemory_t", sizeof(memory_t)},
    {"c_nvmlMemory_v2_t", sizeof(memory_v2_t)},
    {"c_nvmlTemperature_v1_t", sizeof(temperature_v1_t)},
    {"c_nvmlMarginTemperature_v1_t", sizeof(margin_v1_t)},
    {"c_nvmlConfComputeSystemState_t", sizeof(confidential_t)},
    {"nvmlPciInfo_t", sizeof(pci_t)},
    {"c_nvmlFieldValue_t", sizeof(field_t)},
    {"c_nvmlSample_t", sizeof(sample_t)},
    {"c_nvmlEventData_t", sizeof(event_t)},
    {"c_nvmlProcessInfo_v3_t", sizeof(process_t)},
    {"c_nvmlProcessUtilizationSample_t", sizeof(usage_t)},
    {"c_nvmlGpmMetric_t", sizeof(gpm_metric_t)},
    {"c_nvmlGpmSupport_t", sizeof(gpm_support_t)},
};

/* 0 for a struct that we don't know. */
unsigned tidegauge_nvml_size_of(const char *pynvml)
{
    for (unsigned i = 0; i < sizeof SIZES / sizeof *SIZES; i++)
        if (!strcmp(SIZES[i].pynvml, pynvml)) return SIZES[i].size;
    return 0;
}
