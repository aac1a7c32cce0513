#include "drive.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "drive_inside.h"
#include "reach.h"
#include "task.h"

/* Address space for the bytes of files: taken once, and used page by page. */
#define ARENA_SIZE ((size_t)64 << 30)

static struct {
    struct drive_odds odds;
    struct drive_counts counts;
    struct inode *inodes; /* owned: the newest first */
    struct inode *root;
    uint64_t numbers;
    uint64_t serials;
    uint8_t *arena;
    size_t arena_used;
    uint64_t calls;          /* That may fail, so far. */
    uint64_t fails_at;       /* 0: none does. */
    bool fails_to_write_out; /* The next one that does so fails. */
    bool is_full;
} drive;

static struct inode *
inode_new(bool is_dir)
{
    struct inode *inode = real_calloc(1, sizeof(*inode));

    inode->number = ++drive.numbers;
    inode->is_dir = is_dir;
    inode->next = drive.inodes;
    drive.inodes = inode;
    return inode;
}

void
drive_init(const struct drive_odds *odds)
{
    drive.odds = *odds;
    drive.arena = real_mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert(drive.arena != MAP_FAILED);
    drive.root = inode_new(true);
}

const struct drive_counts *
drive_counts(void)
{
    return &drive.counts;
}

/* ---- trouble ---- */

void
drive_fail_soon(uint64_t calls)
{
    /* They are few among all calls. */
    if (drive.odds.writes_out && sim_once_in(2)) {
        drive.fails_to_write_out = true;
        return;
    }
    drive.fails_at = drive.calls + 1 + sim_below(calls);
}

void
drive_mend(void)
{
    drive.fails_at = 0;
    drive.fails_to_write_out = false;
    drive.is_full = false;
}

void
drive_fill(bool full)
{
    sim_say("the disk is %s", full ? "full" : "not full any more");
    drive.is_full = full;
}

bool
drive_is_full(void)
{
    return drive.is_full;
}

static void
note_failure(void)
{
    sim_say("a call to the disk fails");
    drive.counts.failures++;
}

bool
drive_fails(void)
{
    if (++drive.calls != drive.fails_at) {
        return false;
    }
    note_failure();
    return true;
}

bool
drive_has(const void *at)
{
    const uint8_t *byte = at;

    return byte >= drive.arena && byte < drive.arena + ARENA_SIZE;
}

void
drive_note_write(size_t size)
{
    drive.counts.writes++;
    drive.counts.bytes += size;
}

/* ---- bytes ---- */

static void
content_init(struct content *content)
{
    if (content->bytes == NULL) {
        assert(drive.arena_used + FILE_SIZE_MAX <= ARENA_SIZE);
        content->bytes = drive.arena + drive.arena_used;
        drive.arena_used += FILE_SIZE_MAX;
        content->pages = real_calloc(PAGES_MAX, 1);
    }
}

static bool
is_zero(const uint8_t *bytes, size_t size)
{
    return size == 0 ||
           (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* @bytes may be NULL: zeros. */
static void
content_put(struct content *content, const uint8_t *bytes, size_t size,
            size_t offset)
{
    size_t end = offset + size;

    assert(end <= FILE_SIZE_MAX);
    content_init(content);
    for (size_t at = offset; at < end;) {
        size_t page = at / PAGE_SIZE;
        size_t page_end = (page + 1) * PAGE_SIZE;
        size_t part = (page_end < end ? page_end : end) - at;

        if (bytes != NULL) {
            memcpy(content->bytes + at, bytes + (at - offset), part);
            content->pages[page] = 1;
        } else if (content->pages[page] != 0) {
            memset(content->bytes + at, 0, part);
        }
        at += part;
    }
    if (end > content->size) {
        content->size = end;
    }
}

static void
content_resize(struct content *content, size_t size)
{
    if (size < content->size) {
        content_put(content, NULL, content->size - size, size);
    }
    content->size = size;
}

static void
change_apply(struct content *content, const struct change *change)
{
    if (change->is_size) {
        content_resize(content, change->offset);
    } else {
        content_put(content, change->bytes, change->size, change->offset);
    }
}

static struct change *
change_add(struct inode *inode)
{
    size_t count = inode->changes_count++;

    /* A power of two: it doubles. */
    if ((count & (count - 1)) == 0) {
        inode->changes = realloc(inode->changes, (count == 0 ? 1 : 2 * count) *
                                                     sizeof(struct change));
        assert(inode->changes != NULL);
    }
    inode->changes[count] = (struct change){.serial = ++drive.serials};
    return &inode->changes[count];
}

void
drive_write(struct inode *inode, const void *bytes, size_t size, size_t offset)
{
    struct change *change = change_add(inode);
    bool zero = is_zero(bytes, size);

    change->offset = offset;
    change->size = size;
    if (!zero) {
        change->bytes = malloc(size);
        assert(change->bytes != NULL);
        memcpy(change->bytes, bytes, size);
    }
    content_put(&inode->now, zero ? NULL : bytes, size, offset);
}

void
drive_resize(struct inode *inode, size_t size)
{
    struct change *change = change_add(inode);

    change->is_size = true;
    change->offset = size;
    content_init(&inode->now);
    content_resize(&inode->now, size);
}

/* ---- names ---- */

static void
names_remove(struct names *names, const char *text)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->list[i].text, text) == 0) {
            names->list[i] = names->list[--names->count];
            return;
        }
    }
}

static void
names_set(struct names *names, const char *text, struct inode *inode)
{
    names_remove(names, text);
    assert(names->count < NAMES_MAX);
    strcpy(names->list[names->count].text, text);
    names->list[names->count++].inode = inode;
}

static void
naming_apply(struct names *names, const struct naming *naming)
{
    if (naming->removed[0] != '\0') {
        names_remove(names, naming->removed);
    }
    if (naming->set[0] != '\0') {
        names_set(names, naming->set, naming->inode);
    }
}

void
drive_name(struct inode *dir, const char *set, struct inode *inode,
           const char *removed)
{
    struct naming naming = {.inode = inode};

    assert(set == NULL || strlen(set) < NAME_SIZE);
    assert(removed == NULL || strlen(removed) < NAME_SIZE);
    strcpy(naming.set, set == NULL ? "" : set);
    strcpy(naming.removed, removed == NULL ? "" : removed);
    dir->namings =
        realloc(dir->namings, (dir->namings_count + 1) * sizeof(struct naming));
    assert(dir->namings != NULL);
    dir->namings[dir->namings_count++] = naming;
    naming_apply(&dir->names, &naming);
}

struct inode *
drive_find_name(const struct inode *dir, const char *name)
{
    for (size_t i = 0; i < dir->names.count; i++) {
        if (strcmp(dir->names.list[i].text, name) == 0) {
            return dir->names.list[i].inode;
        }
    }
    errno = ENOENT;
    return NULL;
}

struct inode *
drive_find_parent(const char *path, const char **last)
{
    struct inode *dir = drive.root;

    assert(path[0] == '/');
    while (dir != NULL) {
        const char *slash = strchr(++path, '/');
        char part[NAME_SIZE];

        if (slash == NULL) {
            *last = path;
            return dir;
        }
        assert((size_t)(slash - path) < NAME_SIZE);
        memcpy(part, path, (size_t)(slash - path));
        part[slash - path] = '\0';
        dir = drive_find_name(dir, part);
        path = slash;
    }
    errno = ENOENT;
    return NULL;
}

struct inode *
drive_find(const char *path)
{
    const char *last;
    struct inode *dir = drive_find_parent(path, &last);

    return dir == NULL     ? NULL
           : *last == '\0' ? dir
                           : drive_find_name(dir, last);
}

struct inode *
drive_make(struct inode *dir, const char *name, bool is_dir)
{
    struct inode *inode = inode_new(is_dir);

    drive_name(dir, name, inode, NULL);
    return inode;
}

/* ---- syncs ---- */

/* Forget changes up to @serial. */
static void
forget_changes(struct inode *inode, uint64_t serial)
{
    size_t left = 0;

    for (size_t i = 0; i < inode->changes_count; i++) {
        if (inode->changes[i].serial <= serial) {
            free(inode->changes[i].bytes);
        } else {
            inode->changes[left++] = inode->changes[i];
        }
    }
    inode->changes_count = left;
    /* What is left is few: the array is made anew with the next change. */
    if (left == 0) {
        free(inode->changes);
        inode->changes = NULL;
    } else {
        size_t room = 1;

        while (room < left) {
            room *= 2;
        }
        inode->changes = realloc(inode->changes, room * sizeof(struct change));
        assert(inode->changes != NULL);
    }
}

static void
settle_file(struct inode *inode, uint64_t serial)
{
    for (size_t i = 0; i < inode->changes_count; i++) {
        if (inode->changes[i].serial <= serial) {
            change_apply(&inode->safe, &inode->changes[i]);
        }
    }
    forget_changes(inode, serial);
}

static void
settle_dir(struct inode *dir, size_t count)
{
    if (count > dir->namings_count) {
        count = dir->namings_count;
    }
    for (size_t i = 0; i < count; i++) {
        naming_apply(&dir->safe_names, &dir->namings[i]);
    }
    dir->namings_count -= count;
    if (dir->namings_count > 0) {
        memmove(dir->namings, dir->namings + count,
                dir->namings_count * sizeof(struct naming));
    }
}

static void draw_file(struct inode *inode);

static uint64_t
draw_time_ns(void)
{
    uint64_t time_ns = 1 + sim_below(drive.odds.sync_ns);

    if (sim_once_in(drive.odds.slow_odds)) {
        time_ns += sim_below(drive.odds.slow_ns);
    }
    return time_ns;
}

int
drive_sync(struct inode *inode)
{
    uint64_t serial = drive.serials;
    size_t namings = inode->namings_count;
    uint64_t time_ns = draw_time_ns();

    drive.counts.syncs++;
    sim_trace(20, inode->number, inode->changes_count);
    task_sleep(time_ns);
    if (drive_fails()) {
        if (!inode->is_dir) {
            draw_file(inode);
        }
        errno = EIO;
        return -1;
    }
    if (drive.odds.loses_syncs && sim_once_in(3)) {
        return 0;
    }
    if (inode->is_dir) {
        sim_say("has synced directory %u", (unsigned)inode->number);
        settle_dir(inode, namings);
    } else {
        settle_file(inode, serial);
    }
    return 0;
}

static bool
is_on_its_way(const struct inode *inode, size_t offset, size_t size)
{
    for (size_t i = 0; i < inode->changes_count; i++) {
        const struct change *change = &inode->changes[i];

        if (!change->is_size && change->offset < offset + size &&
            offset < change->offset + change->size) {
            return true;
        }
    }
    return false;
}

int
drive_write_out(struct inode *inode, size_t offset, size_t size)
{
    if (!drive.odds.writes_out) {
        errno = ENOSYS;
        return -1;
    }
    if (!is_on_its_way(inode, offset, size)) {
        return 0;
    }
    drive.counts.write_outs++;
    sim_trace(26, inode->number, offset);
    task_sleep(draw_time_ns());
    if (drive.fails_to_write_out) {
        drive.fails_to_write_out = false;
        note_failure();
        draw_file(inode);
        errno = EIO;
        return -1;
    }
    return 0;
}

/* ---- power cuts ---- */

struct drawing {
    size_t block_size;
    uint64_t odds; /* So many of 16 pieces arrive. */
};

static bool
arrives(const struct drawing *drawing)
{
    bool yes = sim_below(16) < drawing->odds;

    drive.counts.lost += !yes;
    return yes;
}

static void
draw_change(const struct drawing *drawing, struct content *content,
            const struct change *change)
{
    size_t end = change->offset + change->size;

    if (change->is_size) {
        if (arrives(drawing)) {
            content_resize(content, change->offset);
        }
        return;
    }
    /* Zeros, where there never was anything, are there in any case. */
    for (size_t at = change->offset; at < end;) {
        size_t next = (at / drawing->block_size + 1) * drawing->block_size;
        size_t part = (next < end ? next : end) - at;
        bool idle =
            change->bytes == NULL &&
            (content->pages == NULL || content->pages[at / PAGE_SIZE] == 0);

        if ((idle && at + part <= content->size) || arrives(drawing)) {
            content_put(content,
                        change->bytes == NULL
                            ? NULL
                            : change->bytes + (at - change->offset),
                        part, at);
        }
        at += part;
    }
}

/* Pages that were changed on their way are read anew from the disk. */
static void
read_again(struct inode *inode)
{
    struct content *now = &inode->now;
    const struct content *safe = &inode->safe;

    content_init(now);
    for (size_t i = 0; i < PAGES_MAX; i++) {
        bool has_safe = safe->pages != NULL && safe->pages[i] != 0;

        if (now->pages[i] == 0 && !has_safe) {
            continue;
        }
        if (has_safe) {
            now->pages[i] = 1;
            memcpy(now->bytes + i * PAGE_SIZE, safe->bytes + i * PAGE_SIZE,
                   PAGE_SIZE);
        } else {
            memset(now->bytes + i * PAGE_SIZE, 0, PAGE_SIZE);
        }
    }
    now->size = safe->size;
}

static void
draw_file(struct inode *inode)
{
    struct drawing drawing = {
        .block_size = sim_once_in(2) ? 512 : PAGE_SIZE,
        .odds = sim_below(17),
    };

    for (size_t i = 0; i < inode->changes_count; i++) {
        draw_change(&drawing, &inode->safe, &inode->changes[i]);
    }
    forget_changes(inode, drive.serials);
    read_again(inode);
}

static void
draw_dir(struct inode *dir)
{
    size_t count = dir->namings_count;

    if (drive.odds.names_in_order) {
        settle_dir(dir, sim_below(count + 1));
    } else {
        for (size_t i = 0; i < count; i++) {
            if (sim_once_in(2)) {
                naming_apply(&dir->safe_names, &dir->namings[i]);
            } else {
                drive.counts.lost++;
            }
        }
    }
    dir->namings_count = 0;
    dir->names = dir->safe_names;
}

void
drive_cut_power(void)
{
    for (struct inode *inode = drive.inodes; inode != NULL;
         inode = inode->next) {
        inode->locked_by = NULL;
        if (inode->is_dir) {
            draw_dir(inode);
        } else if (inode->changes_count > 0) {
            draw_file(inode);
        }
    }
}
