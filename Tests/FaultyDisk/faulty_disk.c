#include "faulty_disk.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One write or truncation that no sync has covered yet. */
typedef struct unsynced {
    struct unsynced *next;
    char *path;
    int is_truncation;
    int64_t offset, length, old_length, old_size;
    unsigned char *bytes, *old;
} unsynced;

struct faulty_disk {
    faulty_disk *next;
    char *prefix;
    pthread_mutex_t lock;
    enum faulty_plan plan;
    int64_t at, count, done, reads;
    int code, is_dead;
    uint64_t random;
    unsynced *newest; /* newest first */
};

typedef struct file {
    sqlite3_file base;
    faulty_disk *disk;
    char *path;
    sqlite3_file *real; /* right behind this struct */
} file;

static sqlite3_vfs *real_vfs;
static sqlite3_vfs faulty_vfs;
static sqlite3_io_methods faulty_methods;
static faulty_disk *disks;
static pthread_mutex_t disks_lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t draw(faulty_disk *disk) {
    disk->random += 0x9E3779B97F4A7C15u;
    uint64_t value = disk->random;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
    return value ^ (value >> 31);
}

/* --- What is not synced -------------------------------------------------------------------------------------------- */

static void forget(unsynced *one) {
    free(one->path);
    free(one->bytes);
    free(one->old);
    free(one);
}

static void synced(faulty_disk *disk, const char *path) {
    unsynced **link = &disk->newest;
    while (*link) {
        unsynced *one = *link;
        if (path && strcmp(one->path, path) != 0) {
            link = &one->next;
            continue;
        }
        *link = one->next;
        forget(one);
    }
}

static void remember(file *f, int is_truncation, const void *bytes, int64_t length, int64_t offset) {
    sqlite3_int64 size = 0;
    f->real->pMethods->xFileSize(f->real, &size);
    unsynced *one = calloc(1, sizeof *one);
    one->path = strdup(f->path);
    one->is_truncation = is_truncation;
    one->offset = offset;
    one->length = length;
    one->old_size = size;
    int64_t end = is_truncation ? size : offset + length;
    one->old_length = (end < size ? end : size) - offset;
    if (one->old_length > 0) {
        one->old = malloc(one->old_length);
        f->real->pMethods->xRead(f->real, one->old, (int)one->old_length, offset);
    }
    if (bytes) {
        one->bytes = malloc(length);
        memcpy(one->bytes, bytes, length);
    }
    one->next = f->disk->newest;
    f->disk->newest = one;
}

static void put(int descriptor, const void *bytes, int64_t length, int64_t offset) {
    if (length > 0 && pwrite(descriptor, bytes, length, offset) != length) abort();
}

/* Back to what was synced, then forward again with those writes that happened to reach the disk. */
static void lose_power(faulty_disk *disk) {
    unsynced *oldest = NULL;
    while (disk->newest) {
        unsynced *one = disk->newest;
        disk->newest = one->next;
        one->next = oldest;
        oldest = one;
        int descriptor = open(one->path, O_RDWR | O_CLOEXEC);
        if (descriptor < 0) continue; /* deleted meanwhile */
        put(descriptor, one->old, one->old_length, one->offset);
        if (ftruncate(descriptor, one->old_size) != 0) abort();
        close(descriptor);
    }
    uint64_t kept = draw(disk) % 3; /* none, half, nearly all */
    while (oldest) {
        unsynced *one = oldest;
        oldest = one->next;
        int stays = kept == 0 ? 0 : kept == 1 ? draw(disk) % 2 : draw(disk) % 8 != 0;
        int descriptor = stays ? open(one->path, O_RDWR | O_CLOEXEC) : -1;
        if (descriptor >= 0) {
            if (one->is_truncation) {
                if (ftruncate(descriptor, one->offset) != 0) abort();
            } else {
                int64_t length = draw(disk) % 8 == 0 ? (int64_t)(draw(disk) % one->length) : one->length;
                put(descriptor, one->bytes, length, one->offset);
            }
            close(descriptor);
        }
        forget(one);
    }
}

/* --- The plan ------------------------------------------------------------------------------------------------------ */

/* What to do with an operation: SQLITE_OK carries it out; `part` is set when a part of a write is to be carried out first. */
static int decide(faulty_disk *disk, int *part) {
    *part = 0;
    if (disk->is_dead) return SQLITE_IOERR;
    disk->done++;
    int is_hit = disk->done == disk->at;
    switch (disk->plan) {
    case FAULTY_KILL:
        if (is_hit) kill(getpid(), SIGKILL);
        return SQLITE_OK;
    case FAULTY_TORN:
    case FAULTY_DEATH:
    case FAULTY_POWER_LOSS:
        if (!is_hit) return SQLITE_OK;
        *part = disk->plan == FAULTY_TORN;
        if (disk->plan == FAULTY_POWER_LOSS) lose_power(disk);
        disk->is_dead = 1;
        return SQLITE_IOERR;
    case FAULTY_ERROR:
    case FAULTY_SHORT_WRITE:
        if (disk->done < disk->at || disk->done >= disk->at + disk->count) return SQLITE_OK;
        *part = disk->plan == FAULTY_SHORT_WRITE;
        return disk->code;
    case FAULTY_SOUND:
    case FAULTY_READ_ERROR:
        return SQLITE_OK;
    }
    return SQLITE_OK;
}

/* --- Files --------------------------------------------------------------------------------------------------------- */

#define REAL(f) (((file *)(f))->real)
#define METHODS(f) (REAL(f)->pMethods)

static int file_close(sqlite3_file *f) {
    int code = METHODS(f)->xClose(REAL(f));
    free(((file *)f)->path);
    return code;
}

static int file_read(sqlite3_file *f, void *bytes, int length, sqlite3_int64 offset) {
    faulty_disk *disk = ((file *)f)->disk;
    pthread_mutex_lock(&disk->lock);
    int code = disk->is_dead ? SQLITE_IOERR_READ : SQLITE_OK;
    if (disk->plan == FAULTY_READ_ERROR) {
        disk->reads++;
        if (disk->reads >= disk->at && disk->reads < disk->at + disk->count) code = disk->code;
    }
    pthread_mutex_unlock(&disk->lock);
    return code == SQLITE_OK ? METHODS(f)->xRead(REAL(f), bytes, length, offset) : code;
}

static int file_write(sqlite3_file *f, const void *bytes, int length, sqlite3_int64 offset) {
    faulty_disk *disk = ((file *)f)->disk;
    int part = 0;
    pthread_mutex_lock(&disk->lock);
    int code = decide(disk, &part);
    if (part) {
        length = (int)(draw(disk) % (uint64_t)length);
        if (length > 0) {
            remember((file *)f, 0, bytes, length, offset);
            METHODS(f)->xWrite(REAL(f), bytes, length, offset);
        }
    } else if (code == SQLITE_OK) {
        remember((file *)f, 0, bytes, length, offset);
        code = METHODS(f)->xWrite(REAL(f), bytes, length, offset);
    }
    pthread_mutex_unlock(&disk->lock);
    return code;
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size) {
    faulty_disk *disk = ((file *)f)->disk;
    int part = 0;
    pthread_mutex_lock(&disk->lock);
    int code = decide(disk, &part);
    if (code == SQLITE_OK) {
        remember((file *)f, 1, NULL, 0, size);
        code = METHODS(f)->xTruncate(REAL(f), size);
    }
    pthread_mutex_unlock(&disk->lock);
    return code;
}

static int file_sync(sqlite3_file *f, int flags) {
    faulty_disk *disk = ((file *)f)->disk;
    int part = 0;
    (void)flags;
    pthread_mutex_lock(&disk->lock);
    int code = decide(disk, &part);
    if (code == SQLITE_OK) synced(disk, ((file *)f)->path);
    pthread_mutex_unlock(&disk->lock);
    return code;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *size) { return METHODS(f)->xFileSize(REAL(f), size); }
static int file_lock(sqlite3_file *f, int level) { return METHODS(f)->xLock(REAL(f), level); }
static int file_unlock(sqlite3_file *f, int level) { return METHODS(f)->xUnlock(REAL(f), level); }
static int file_reserved(sqlite3_file *f, int *held) { return METHODS(f)->xCheckReservedLock(REAL(f), held); }
static int file_control(sqlite3_file *f, int op, void *arg) {
    return METHODS(f)->xFileControl(REAL(f), op, arg);
}
static int file_sector(sqlite3_file *f) { return METHODS(f)->xSectorSize(REAL(f)); }
static int file_device(sqlite3_file *f) { return METHODS(f)->xDeviceCharacteristics(REAL(f)); }
static int file_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **where) {
    return METHODS(f)->xShmMap(REAL(f), page, size, extend, where);
}
static int file_shm_lock(sqlite3_file *f, int offset, int n, int flags) {
    return METHODS(f)->xShmLock(REAL(f), offset, n, flags);
}
static void file_shm_barrier(sqlite3_file *f) { METHODS(f)->xShmBarrier(REAL(f)); }
static int file_shm_unmap(sqlite3_file *f, int remove) { return METHODS(f)->xShmUnmap(REAL(f), remove); }

static sqlite3_io_methods faulty_methods = {
    .iVersion = 2, /* no memory mapping: every byte passes here */
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

/* --- The VFS ------------------------------------------------------------------------------------------------------- */

static faulty_disk *disk_of(const char *path) {
    if (!path) return NULL;
    pthread_mutex_lock(&disks_lock);
    faulty_disk *disk = disks;
    while (disk && strncmp(path, disk->prefix, strlen(disk->prefix)) != 0) disk = disk->next;
    pthread_mutex_unlock(&disks_lock);
    return disk;
}

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *out) {
    (void)vfs;
    faulty_disk *disk = disk_of(path);
    /* A file elsewhere is the real one, in place: nothing of it passes here again. */
    if (!disk) return real_vfs->xOpen(real_vfs, path, f, flags, out);
    file *mine = (file *)f;
    memset(mine, 0, sizeof *mine);
    mine->real = (sqlite3_file *)(mine + 1);
    if (disk->is_dead) return SQLITE_CANTOPEN;
    int code = real_vfs->xOpen(real_vfs, path, mine->real, flags, out);
    if (code != SQLITE_OK) return code;
    mine->disk = disk;
    mine->path = strdup(path);
    mine->base.pMethods = &faulty_methods;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync) {
    (void)vfs;
    faulty_disk *disk = disk_of(path);
    if (!disk) return real_vfs->xDelete(real_vfs, path, sync);
    int part = 0;
    pthread_mutex_lock(&disk->lock);
    int code = decide(disk, &part);
    if (code == SQLITE_OK) {
        synced(disk, path);
        code = real_vfs->xDelete(real_vfs, path, 0);
    }
    pthread_mutex_unlock(&disk->lock);
    return code;
}

int faulty_disk_register(void) {
    pthread_mutex_lock(&disks_lock);
    int code = SQLITE_OK;
    if (!real_vfs) {
        real_vfs = sqlite3_vfs_find(NULL);
        faulty_vfs = *real_vfs;
        faulty_vfs.zName = "faulty-disk";
        faulty_vfs.szOsFile = (int)sizeof(file) + real_vfs->szOsFile;
        faulty_vfs.xOpen = vfs_open;
        faulty_vfs.xDelete = vfs_delete;
        code = sqlite3_vfs_register(&faulty_vfs, 1);
    }
    pthread_mutex_unlock(&disks_lock);
    return code;
}

faulty_disk *faulty_disk_mount(const char *prefix) {
    faulty_disk *disk = calloc(1, sizeof *disk);
    disk->prefix = strdup(prefix);
    pthread_mutex_init(&disk->lock, NULL);
    pthread_mutex_lock(&disks_lock);
    disk->next = disks;
    disks = disk;
    pthread_mutex_unlock(&disks_lock);
    return disk;
}

void faulty_disk_unmount(faulty_disk *disk) {
    pthread_mutex_lock(&disks_lock);
    faulty_disk **link = &disks;
    while (*link && *link != disk) link = &(*link)->next;
    if (*link) *link = disk->next;
    pthread_mutex_unlock(&disks_lock);
    synced(disk, NULL);
    pthread_mutex_destroy(&disk->lock);
    free(disk->prefix);
    free(disk);
}

void faulty_disk_plan(
    faulty_disk *disk, enum faulty_plan plan, int64_t at, int64_t count, int code, uint64_t seed) {
    pthread_mutex_lock(&disk->lock);
    disk->plan = plan;
    disk->at = at;
    disk->count = count;
    disk->code = code;
    disk->random = seed;
    disk->done = disk->reads = 0;
    disk->is_dead = 0;
    pthread_mutex_unlock(&disk->lock);
}

int64_t faulty_disk_operations(faulty_disk *disk) {
    pthread_mutex_lock(&disk->lock);
    int64_t found = disk->plan == FAULTY_READ_ERROR ? disk->reads : disk->done;
    pthread_mutex_unlock(&disk->lock);
    return found;
}
