#ifndef UNSYNCED_DISK_H
#define UNSYNCED_DISK_H

#include "unsynced_vfs.h"
#include <pthread.h>
#include <stddef.h>

// A write, or with bytes == NULL a truncation to `offset`.
typedef struct pending {
    struct pending *next;
    int64_t offset;
    size_t count;
    uint8_t *bytes;
} pending;

typedef struct disk_file {
    struct disk_file *next;
    char *path;
    // What is synced; `exists` whether the file is.
    int exists;
    size_t count;
    uint8_t *bytes;
    pending *first, *last;
    // Deleted, without being sure of it.
    int is_deleted;
} disk_file;

struct unsynced_disk {
    pthread_mutex_t mutex;
    disk_file *files;
    // Handles of another generation are those of a process that is gone.
    uint64_t generation;
    int is_off, is_lying;
    unsynced_fault fault;
    unsynced_step fault_kind;
    int64_t fault_step;
    int64_t steps[3];
};

// All of these with the mutex held.
disk_file *disk_find(unsynced_disk *disk, const char *path);
void disk_write(disk_file *file, int64_t offset, const void *bytes, size_t count);
void disk_truncate(disk_file *file, int64_t size);
void disk_sync(disk_file *file);
void disk_drop_pending(disk_file *file);

// Counts a step; SQLITE_OK, or what it fails with.
int disk_step(unsynced_disk *disk, unsynced_step kind);

#endif
