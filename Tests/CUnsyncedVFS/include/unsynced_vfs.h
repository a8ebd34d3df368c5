// A file system for SQLite that forgets what was not synced: a power failure for tests.
//
// Files are real, below SQLite's usual file system, so every connection sees every write. Beside each stands an image of
// what a disk is sure to hold: writes join it when their file is synced. When the power comes back, files are what their
// images say, and, if so wanted, parts of what was pending.

#ifndef UNSYNCED_VFS_H
#define UNSYNCED_VFS_H

#include <stdint.h>

typedef struct unsynced_disk unsynced_disk;

typedef enum {
    UNSYNCED_FAULT_NONE,
    // From the step on nothing works, as for a process whose machine stops.
    UNSYNCED_FAULT_POWER,
    // The step fails, once. A failed sync loses what was pending, as Linux does.
    UNSYNCED_FAULT_IO,
    UNSYNCED_FAULT_FULL,
    // Every write fails from the step on, for want of space; syncs do not.
    UNSYNCED_FAULT_ALWAYS_FULL
} unsynced_fault;

typedef enum {
    UNSYNCED_STEP_ANY,
    UNSYNCED_STEP_WRITE,
    UNSYNCED_STEP_SYNC
} unsynced_step;

// Registers a file system of this name with SQLite; one for each test, never given back.
unsynced_disk *unsynced_disk_make(const char *name);

// Steps (writes, truncations, syncs, deletions) of a kind since the power came back.
int64_t unsynced_disk_steps(unsynced_disk *disk, unsynced_step kind);

// What happens at the step with this number of its kind, counted from 0 since the power came back.
void unsynced_disk_plan(unsynced_disk *disk, unsynced_fault fault, unsynced_step kind, int64_t step);

void unsynced_disk_power_off(unsynced_disk *disk);

// Restores all files to what a disk might hold after the failure, with all faults gone: with seed 0 what was synced;
// otherwise each pending write, sector by sector, is there or not, at random.
void unsynced_disk_power_on(unsynced_disk *disk, uint64_t seed);

// The process dies and another starts: nothing is lost, as the kernel goes on. All faults are gone.
void unsynced_disk_restart(unsynced_disk *disk);

// Syncs succeed and do nothing, as on a disk that lies.
void unsynced_disk_set_lying(unsynced_disk *disk, int is_lying);

#endif
