// Time and quantiles for the programs that put load on a service.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

static inline int compare_ns(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

// One line of JSON; sorts the latencies.
static inline void print_result(size_t count, double seconds, int64_t *latencies, size_t failed) {
    if (count) qsort(latencies, count, sizeof *latencies, compare_ns);
    double p50 = count ? latencies[count / 2] / 1e3 : 0, p99 = count ? latencies[count - 1 - count / 100] / 1e3 : 0;
    printf("{\"per_s\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"count\": %zu, \"failed\": %zu}\n",
           count / seconds, p50, p99, count, failed);
    fflush(stdout);
}
