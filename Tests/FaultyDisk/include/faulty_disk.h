/* A disk that breaks when told to: an SQLite VFS around the default one, for tests.
 *
 * Files under a mounted folder count what is written to them (writes, truncations, syncs, deletions) and follow the
 * disk's plan; every other file is passed through. Syncs are not carried out: what was written and not synced is kept in
 * mind instead, so that a power loss can take it away.
 */
#ifndef FAULTY_DISK_H
#define FAULTY_DISK_H

#include <stdint.h>

typedef struct faulty_disk faulty_disk;

enum faulty_plan {
    FAULTY_SOUND = 0,
    /* The process is killed before the n-th operation. */
    FAULTY_KILL = 1,
    /* The n-th operation and everything after it fails, as if the process had died: the file stays as it is. */
    FAULTY_DEATH = 2,
    /* The same, with the n-th write carried out in part. */
    FAULTY_TORN = 3,
    /* The same, and of what was not synced some writes are lost, some torn, some kept. */
    FAULTY_POWER_LOSS = 4,
    /* Operations from the n-th on fail with a code, as many as asked for; then all is well again. */
    FAULTY_ERROR = 5,
    /* The same, after having written half of what was asked for. */
    FAULTY_SHORT_WRITE = 6,
    /* Reads from the n-th on fail with a code. */
    FAULTY_READ_ERROR = 7,
};

/* Makes the VFS the default one of this process; once is enough. Returns an SQLite code. */
int faulty_disk_register(void);

/* Everything whose path begins with `prefix` is on the disk. Copies the prefix. Freed by faulty_disk_unmount, after the
 * last connection to it is closed. */
faulty_disk *faulty_disk_mount(const char *prefix);
void faulty_disk_unmount(faulty_disk *disk);

/* From now on; operations are counted from 1 again. */
void faulty_disk_plan(
    faulty_disk *disk, enum faulty_plan plan, int64_t at, int64_t count, int code, uint64_t seed);

/* Operations (for FAULTY_READ_ERROR: reads) since the plan was made. */
int64_t faulty_disk_operations(faulty_disk *disk);

#endif
