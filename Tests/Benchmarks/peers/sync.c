// What the disk takes for a page at the end of a file, until it is durable: `sync FILE SECONDS`.
#include "clock.h"

#include <fcntl.h>
#include <unistd.h>

enum { PAGE = 4096 };

int main(int count, char **arguments) {
    if (count != 3) return fprintf(stderr, "usage: sync FILE SECONDS\n"), 2;
    int file = open(arguments[1], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0) perror(arguments[1]), exit(2);
    static char page[PAGE] = {1};
    size_t synced = 0, capacity = 1 << 12;
    int64_t *latencies = malloc(capacity * sizeof *latencies);
    int64_t begin = now_ns(), end = begin + (int64_t)(atof(arguments[2]) * 1e9), now = begin;
    while (now < end) {
        int64_t before = now_ns();
        if (write(file, page, sizeof page) != sizeof page || fdatasync(file)) perror(arguments[1]), exit(1);
        now = now_ns();
        if (synced == capacity) latencies = realloc(latencies, (capacity *= 2) * sizeof *latencies);
        latencies[synced++] = now - before;
    }
    print_result(synced, (now - begin) / 1e9, latencies, 0);
    return unlink(arguments[1]);
}
