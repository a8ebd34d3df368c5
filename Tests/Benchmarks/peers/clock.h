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

static inline void sort_ns(int64_t *latencies, size_t count) {
    if (count) qsort(latencies, count, sizeof *latencies, compare_ns);
}

// What `share` of them are below, in microseconds, if they are sorted.
static inline double quantile_us(const int64_t *sorted, size_t count, double share) {
    return count ? sorted[(size_t)((double)(count - 1) * share)] / 1e3 : 0;
}

// The fields of a line of JSON; sorts the latencies.
static inline void print_fields(size_t count, double seconds, int64_t *latencies, size_t failed) {
    sort_ns(latencies, count);
    double p50 = quantile_us(latencies, count, 0.5), p99 = quantile_us(latencies, count, 0.99);
    printf("\"per_s\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"count\": %zu, \"failed\": %zu",
           count / seconds, p50, p99, count, failed);
}

// One line of JSON; sorts the latencies.
static inline void print_result(size_t count, double seconds, int64_t *latencies, size_t failed) {
    printf("{");
    print_fields(count, seconds, latencies, failed);
    printf("}\n");
    fflush(stdout);
}
