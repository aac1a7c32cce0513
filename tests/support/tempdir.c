#include "tempdir.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#define OPEN_DIRECTORIES_MAX 16

void
tempdir_make(struct tempdir *dir)
{
    const char *parent = getenv("TMPDIR");

    snprintf(dir->path, sizeof(dir->path), "%s/acta-test-XXXXXX",
             parent != NULL && parent[0] != '\0' ? parent : "/tmp");
    ck_assert_msg(mkdtemp(dir->path) != NULL, "cannot make %s", dir->path);
}

static int
remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat;
    (void)type;
    (void)ftw;
    return remove(path);
}

void
tempdir_remove(struct tempdir *dir)
{
    /* What is gone is gone: nothing depends on the result. */
    (void)nftw(dir->path, remove_one, OPEN_DIRECTORIES_MAX,
               FTW_DEPTH | FTW_PHYS);
}

const char *
tempdir_file(const struct tempdir *dir, const char *name)
{
    static char path[512];

    snprintf(path, sizeof(path), "%s/%s", dir->path, name);
    return path;
}
