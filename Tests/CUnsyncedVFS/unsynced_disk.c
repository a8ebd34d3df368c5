#include "unsynced_disk.h"
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { sector_bytes = 512 };

static void *must(void *memory)
{
    if (!memory) abort();
    return memory;
}

// NULL if there is none.
static uint8_t *read_file(const char *path, size_t *count)
{
    FILE *stream = fopen(path, "rb");
    if (!stream) return NULL;
    uint8_t *bytes = must(malloc(1));
    uint8_t buffer[4096];
    *count = 0;
    for (size_t read; (read = fread(buffer, 1, sizeof buffer, stream)) > 0; *count += read) {
        bytes = must(realloc(bytes, *count + read));
        memcpy(bytes + *count, buffer, read);
    }
    fclose(stream);
    return bytes;
}

// A file that is there already is taken for synced.
disk_file *disk_find(unsynced_disk *disk, const char *path)
{
    for (disk_file *file = disk->files; file; file = file->next)
        if (strcmp(file->path, path) == 0) return file;
    disk_file *file = must(calloc(1, sizeof *file));
    file->path = must(strdup(path));
    file->next = disk->files;
    disk->files = file;
    file->bytes = read_file(path, &file->count);
    file->exists = file->bytes != NULL;
    return file;
}

static void add(disk_file *file, int64_t offset, const void *bytes, size_t count)
{
    pending *change = must(calloc(1, sizeof *change));
    change->offset = offset;
    change->count = count;
    if (bytes) {
        change->bytes = must(malloc(count ? count : 1));
        memcpy(change->bytes, bytes, count);
    }
    if (file->last) file->last->next = change; else file->first = change;
    file->last = change;
}

void disk_write(disk_file *file, int64_t offset, const void *bytes, size_t count)
{
    add(file, offset, bytes, count);
}

void disk_truncate(disk_file *file, int64_t size)
{
    add(file, size, NULL, 0);
}

static void resize(disk_file *file, size_t count)
{
    file->bytes = must(realloc(file->bytes, count ? count : 1));
    if (count > file->count) memset(file->bytes + file->count, 0, count - file->count);
    file->count = count;
}

static void apply_bytes(disk_file *file, size_t offset, const uint8_t *bytes, size_t count)
{
    if (offset + count > file->count) resize(file, offset + count);
    memcpy(file->bytes + offset, bytes, count);
}

void disk_sync(disk_file *file)
{
    for (pending *change = file->first; change; change = change->next) {
        if (change->bytes) apply_bytes(file, (size_t)change->offset, change->bytes, change->count);
        else resize(file, (size_t)change->offset);
    }
    file->exists = 1;
    disk_drop_pending(file);
}

void disk_drop_pending(disk_file *file)
{
    while (file->first) {
        pending *change = file->first;
        file->first = change->next;
        free(change->bytes);
        free(change);
    }
    file->last = NULL;
}

// xorshift64*
static int coin(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (int)((*state * 0x2545F4914F6CDD1DULL) >> 63);
}

// Parts of what was pending reach the disk, in no order that anybody asked for.
static void apply_some(disk_file *file, uint64_t *random)
{
    for (pending *change = file->first; change; change = change->next) {
        if (coin(random)) continue;
        file->exists = 1;
        if (!change->bytes) {
            resize(file, (size_t)change->offset);
            continue;
        }
        int is_whole = coin(random);
        for (size_t done = 0; done < change->count;) {
            size_t offset = (size_t)change->offset + done;
            size_t count = sector_bytes - offset % sector_bytes;
            if (count > change->count - done) count = change->count - done;
            if (is_whole || coin(random)) apply_bytes(file, offset, change->bytes + done, count);
            done += count;
        }
    }
}

// Makes the file anew with these bytes: what a dead process still has open is another one then, and so is its index.
static void replace(const char *path, const uint8_t *bytes, size_t count)
{
    unlink(path);
    char index[4096];
    snprintf(index, sizeof index, "%s-shm", path);
    unlink(index);
    if (!bytes) return;
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (descriptor < 0 || write(descriptor, bytes, count) != (ssize_t)count) abort();
    close(descriptor);
}

static void start_anew(unsynced_disk *disk)
{
    disk->generation++;
    disk->is_off = 0;
    disk->fault = UNSYNCED_FAULT_NONE;
    memset(disk->steps, 0, sizeof disk->steps);
}

void unsynced_disk_power_on(unsynced_disk *disk, uint64_t seed)
{
    pthread_mutex_lock(&disk->mutex);
    uint64_t random = seed * 0x9E3779B97F4A7C15ULL + 1;
    for (disk_file *file; (file = disk->files); ) {
        disk->files = file->next;
        if (seed) apply_some(file, &random);
        if (file->exists && file->count == 0) resize(file, 0);
        if (file->is_deleted && seed && coin(&random)) file->exists = 0;
        replace(file->path, file->exists ? file->bytes : NULL, file->count);
        disk_drop_pending(file);
        free(file->bytes);
        free(file->path);
        free(file);
    }
    start_anew(disk);
    pthread_mutex_unlock(&disk->mutex);
}

void unsynced_disk_restart(unsynced_disk *disk)
{
    pthread_mutex_lock(&disk->mutex);
    for (disk_file *file = disk->files; file; file = file->next) {
        size_t count = 0;
        uint8_t *bytes = read_file(file->path, &count);
        replace(file->path, bytes, count);
        free(bytes);
    }
    start_anew(disk);
    pthread_mutex_unlock(&disk->mutex);
}

int disk_step(unsynced_disk *disk, unsynced_step kind)
{
    if (disk->is_off) return SQLITE_IOERR;
    int64_t any = disk->steps[UNSYNCED_STEP_ANY]++;
    int64_t step = kind == UNSYNCED_STEP_ANY ? any : disk->steps[kind]++;
    if (disk->fault_kind == UNSYNCED_STEP_ANY) step = any;
    else if (disk->fault_kind != kind) return SQLITE_OK;
    if (step < disk->fault_step) return SQLITE_OK;
    int is_now = step == disk->fault_step;
    switch (disk->fault) {
    case UNSYNCED_FAULT_NONE: return SQLITE_OK;
    case UNSYNCED_FAULT_POWER:
        disk->is_off = 1;
        return SQLITE_IOERR;
    case UNSYNCED_FAULT_IO:
        if (!is_now) return SQLITE_OK;
        return kind == UNSYNCED_STEP_SYNC ? SQLITE_IOERR_FSYNC : SQLITE_IOERR_WRITE;
    case UNSYNCED_FAULT_FULL: return is_now ? SQLITE_FULL : SQLITE_OK;
    case UNSYNCED_FAULT_ALWAYS_FULL: return kind == UNSYNCED_STEP_WRITE ? SQLITE_FULL : SQLITE_OK;
    }
    return SQLITE_OK;
}

int64_t unsynced_disk_steps(unsynced_disk *disk, unsynced_step kind)
{
    pthread_mutex_lock(&disk->mutex);
    int64_t steps = disk->steps[kind];
    pthread_mutex_unlock(&disk->mutex);
    return steps;
}

void unsynced_disk_plan(unsynced_disk *disk, unsynced_fault fault, unsynced_step kind, int64_t step)
{
    pthread_mutex_lock(&disk->mutex);
    disk->fault = fault;
    disk->fault_kind = kind;
    disk->fault_step = step;
    pthread_mutex_unlock(&disk->mutex);
}

void unsynced_disk_power_off(unsynced_disk *disk)
{
    pthread_mutex_lock(&disk->mutex);
    disk->is_off = 1;
    pthread_mutex_unlock(&disk->mutex);
}

void unsynced_disk_set_lying(unsynced_disk *disk, int is_lying)
{
    pthread_mutex_lock(&disk->mutex);
    disk->is_lying = is_lying;
    pthread_mutex_unlock(&disk->mutex);
}
