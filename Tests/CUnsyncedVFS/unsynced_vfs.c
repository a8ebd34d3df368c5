#include "unsynced_disk.h"
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

// What SQLite holds of an open file; the real one's follows it in memory.
typedef struct {
    sqlite3_file base;
    unsynced_disk *disk;
    uint64_t generation;
    char *path;
    sqlite3_file *real;
} handle;

static sqlite3_vfs *usual(void)
{
    return sqlite3_vfs_find("unix");
}

// Takes the disk's mutex; SQLITE_OK if the file can be used.
static int enter(handle *file)
{
    pthread_mutex_lock(&file->disk->mutex);
    return file->disk->is_off || file->generation != file->disk->generation ? SQLITE_IOERR : SQLITE_OK;
}

static int leave(handle *file, int code)
{
    pthread_mutex_unlock(&file->disk->mutex);
    return code;
}

static int file_close(sqlite3_file *base)
{
    handle *file = (handle *)base;
    free(file->path);
    return file->real->pMethods->xClose(file->real);
}

static int file_read(sqlite3_file *base, void *bytes, int count, sqlite3_int64 offset)
{
    handle *file = (handle *)base;
    int code = enter(file);
    if (code == SQLITE_OK) code = file->real->pMethods->xRead(file->real, bytes, count, offset);
    return leave(file, code);
}

static int file_write(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset)
{
    handle *file = (handle *)base;
    int code = enter(file);
    if (code == SQLITE_OK) code = disk_step(file->disk, UNSYNCED_STEP_WRITE);
    if (code == SQLITE_OK) {
        disk_write(disk_find(file->disk, file->path), offset, bytes, (size_t)count);
        code = file->real->pMethods->xWrite(file->real, bytes, count, offset);
    }
    return leave(file, code);
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    handle *file = (handle *)base;
    int code = enter(file);
    if (code == SQLITE_OK) code = disk_step(file->disk, UNSYNCED_STEP_WRITE);
    if (code == SQLITE_OK) {
        disk_truncate(disk_find(file->disk, file->path), size);
        code = file->real->pMethods->xTruncate(file->real, size);
    }
    return leave(file, code);
}

static int file_sync(sqlite3_file *base, int flags)
{
    (void)flags;
    handle *file = (handle *)base;
    int code = enter(file);
    if (code != SQLITE_OK) return leave(file, code);
    code = disk_step(file->disk, UNSYNCED_STEP_SYNC);
    disk_file *known = disk_find(file->disk, file->path);
    // The kernel takes pages that it could not write for clean, so no later sync writes them.
    if (code == SQLITE_IOERR_FSYNC) disk_drop_pending(known);
    if (code == SQLITE_OK && !file->disk->is_lying) disk_sync(known);
    return leave(file, code);
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size)
{
    handle *file = (handle *)base;
    int code = enter(file);
    if (code == SQLITE_OK) code = file->real->pMethods->xFileSize(file->real, size);
    return leave(file, code);
}

static int file_lock(sqlite3_file *base, int level)
{
    handle *file = (handle *)base;
    int code = enter(file);
    return leave(file, code == SQLITE_OK ? file->real->pMethods->xLock(file->real, level) : code);
}

// Also of a dead process: its locks go with it.
static int file_unlock(sqlite3_file *base, int level)
{
    handle *file = (handle *)base;
    return file->real->pMethods->xUnlock(file->real, level);
}

static int file_reserved(sqlite3_file *base, int *is_reserved)
{
    handle *file = (handle *)base;
    return file->real->pMethods->xCheckReservedLock(file->real, is_reserved);
}

static int file_control(sqlite3_file *base, int operation, void *argument)
{
    handle *file = (handle *)base;
    return file->real->pMethods->xFileControl(file->real, operation, argument);
}

static int file_sector(sqlite3_file *base)
{
    handle *file = (handle *)base;
    return file->real->pMethods->xSectorSize(file->real);
}

static int file_traits(sqlite3_file *base)
{
    handle *file = (handle *)base;
    return file->real->pMethods->xDeviceCharacteristics(file->real);
}

// The index of the log is shared memory, nothing that outlives a power failure.
static int shared_map(sqlite3_file *base, int region, int size, int extends, void volatile **memory)
{
    handle *file = (handle *)base;
    int code = enter(file);
    if (code == SQLITE_OK) code = file->real->pMethods->xShmMap(file->real, region, size, extends, memory);
    return leave(file, code);
}

static int shared_lock(sqlite3_file *base, int offset, int count, int flags)
{
    handle *file = (handle *)base;
    return file->real->pMethods->xShmLock(file->real, offset, count, flags);
}

static void shared_barrier(sqlite3_file *base)
{
    handle *file = (handle *)base;
    file->real->pMethods->xShmBarrier(file->real);
}

static int shared_unmap(sqlite3_file *base, int deletes)
{
    handle *file = (handle *)base;
    int is_alive = enter(file) == SQLITE_OK;
    leave(file, SQLITE_OK);
    return file->real->pMethods->xShmUnmap(file->real, deletes && is_alive);
}

static const sqlite3_io_methods methods = {
    2, file_close, file_read, file_write, file_truncate, file_sync, file_size, file_lock, file_unlock, file_reserved,
    file_control, file_sector, file_traits, shared_map, shared_lock, shared_barrier, shared_unmap, NULL, NULL,
};

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *flags_out)
{
    handle *file = (handle *)base;
    memset(file, 0, sizeof *file);
    file->disk = vfs->pAppData;
    file->real = (sqlite3_file *)(file + 1);
    pthread_mutex_lock(&file->disk->mutex);
    int code = file->disk->is_off ? SQLITE_IOERR : SQLITE_OK;
    // Looked at before the file may be made.
    disk_file *known = code == SQLITE_OK && path ? disk_find(file->disk, path) : NULL;
    if (code == SQLITE_OK) code = usual()->xOpen(usual(), path, file->real, flags, flags_out);
    if (code == SQLITE_OK) {
        file->generation = file->disk->generation;
        file->path = strdup(path ? path : "");
        file->base.pMethods = &methods;
        // Made anew under the name of one that was deleted.
        if (known && known->is_deleted) {
            known->is_deleted = 0;
            disk_truncate(known, 0);
        }
    }
    pthread_mutex_unlock(&file->disk->mutex);
    return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int syncs)
{
    unsynced_disk *disk = vfs->pAppData;
    pthread_mutex_lock(&disk->mutex);
    int code = disk_step(disk, UNSYNCED_STEP_ANY);
    if (code == SQLITE_OK) {
        disk_file *file = disk_find(disk, path);
        if (syncs) file->exists = 0;
        file->is_deleted = 1;
        disk_drop_pending(file);
        code = usual()->xDelete(usual(), path, 0);
    }
    pthread_mutex_unlock(&disk->mutex);
    return code;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *result)
{
    (void)vfs;
    return usual()->xAccess(usual(), path, flags, result);
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int count, char *full)
{
    (void)vfs;
    return usual()->xFullPathname(usual(), path, count, full);
}

unsynced_disk *unsynced_disk_make(const char *name)
{
    sqlite3_initialize();
    unsynced_disk *disk = calloc(1, sizeof *disk);
    sqlite3_vfs *vfs = malloc(sizeof *vfs);
    if (!disk || !vfs) abort();
    pthread_mutex_init(&disk->mutex, NULL);
    // Random numbers, clocks and the like are the usual ones.
    *vfs = *usual();
    vfs->pNext = NULL;
    vfs->zName = strdup(name);
    vfs->pAppData = disk;
    vfs->szOsFile = (int)sizeof(handle) + usual()->szOsFile;
    vfs->xOpen = vfs_open;
    vfs->xDelete = vfs_delete;
    vfs->xAccess = vfs_access;
    vfs->xFullPathname = vfs_full_path;
    if (sqlite3_vfs_register(vfs, 0) != SQLITE_OK) abort();
    return disk;
}
