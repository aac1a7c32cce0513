#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"
#include "tempdir.h"

static struct tempdir dir;
static char path[FILE_PATH_MAX];
static int fd;

static void
setup(void)
{
    tempdir_make(&dir);
    ck_assert_int_eq(file_join(path, dir.path, "file", NULL), ACTA_OK);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
}

static void
teardown(void)
{
    close(fd);
    tempdir_remove(&dir);
}

START_TEST(what_is_written_at_an_offset_is_read_there)
{
    char got[16] = "";
    size_t count;

    ck_assert_int_eq(file_write_at(fd, "abc", 3, 5, path, NULL), ACTA_OK);
    ck_assert_int_eq(file_read_at(fd, got, 3, 5, &count, path, NULL), ACTA_OK);
    ck_assert_uint_eq(count, 3);
    ck_assert_mem_eq(got, "abc", 3);
}
END_TEST

START_TEST(reading_beyond_the_end_gives_what_there_is)
{
    char got[16];
    size_t count;

    ck_assert_int_eq(file_write_at(fd, "abc", 3, 0, path, NULL), ACTA_OK);
    ck_assert_int_eq(file_read_at(fd, got, 16, 1, &count, path, NULL), ACTA_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(file_read_at(fd, got, 16, 3, &count, path, NULL), ACTA_OK);
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(failures_say_what_was_done_to_which_path_and_why)
{
    struct acta_err err;
    size_t count;
    char got[1];

    ck_assert_int_eq(file_write_at(-1, "a", 1, 0, "/a/path", &err), ACTA_IO);
    ck_assert_str_eq(err.text, "write /a/path: Bad file descriptor");
    ck_assert_int_eq(file_read_at(-1, got, 1, 0, &count, "/a/path", &err),
                     ACTA_IO);
    ck_assert_str_eq(err.text, "read /a/path: Bad file descriptor");
    ck_assert_int_eq(file_sync_dir("/no/where", &err), ACTA_IO);
    ck_assert_str_eq(err.text, "open /no/where: No such file or directory");
}
END_TEST

struct row {
    int number;
    enum acta_code code;
};

static const struct row rows[] = {
    {ENOSPC, ACTA_FULL},   {EDQUOT, ACTA_FULL}, {EFBIG, ACTA_FULL},
    {ENOMEM, ACTA_MEMORY}, {EIO, ACTA_IO},      {EROFS, ACTA_IO},
};

START_TEST(no_space_and_no_memory_are_told_apart_from_all_else)
{
    errno = rows[_i].number;
    ck_assert_int_eq(file_fail(NULL, "do", "it"), rows[_i].code);
}
END_TEST

START_TEST(a_write_without_space_is_full)
{
    struct rlimit limit = {.rlim_cur = 4096, .rlim_max = 4096};
    static const char bytes[8192];
    struct acta_err err;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(file_write_at(fd, bytes, sizeof(bytes), 0, path, &err),
                     ACTA_FULL);
}
END_TEST

START_TEST(a_path_that_is_too_long_is_refused)
{
    char joined[FILE_PATH_MAX], name[FILE_PATH_MAX];

    memset(name, 'a', sizeof(name));
    name[FILE_PATH_MAX - 3] = '\0'; /* "/", "/" and the end fit. */
    ck_assert_int_eq(file_join(joined, "", name, NULL), ACTA_OK);
    ck_assert_int_eq(file_join(joined, "d", name, NULL), ACTA_OK);
    ck_assert_int_eq(file_join(joined, "di", name, NULL), ACTA_IO);
}
END_TEST

START_TEST(renaming_takes_the_place_of_what_was_there)
{
    char other[FILE_PATH_MAX];

    ck_assert_int_eq(file_join(other, dir.path, "other", NULL), ACTA_OK);
    ck_assert_int_eq(file_rename(path, other, dir.path, NULL), ACTA_OK);
    ck_assert(!file_exists(path));
    ck_assert(file_exists(other));
    ck_assert_int_eq(file_rename(path, other, dir.path, NULL), ACTA_IO);
    ck_assert(file_exists(other));
}
END_TEST

START_TEST(a_tree_is_removed_and_none_is_no_failure)
{
    char tree[FILE_PATH_MAX], inner[FILE_PATH_MAX], link[FILE_PATH_MAX];

    ck_assert_int_eq(file_join(tree, dir.path, "tree", NULL), ACTA_OK);
    ck_assert_int_eq(file_remove_tree(tree, NULL), ACTA_OK);
    ck_assert_int_eq(mkdir(tree, 0700), 0);
    ck_assert_int_eq(file_join(inner, tree, "inner", NULL), ACTA_OK);
    ck_assert_int_eq(mkdir(inner, 0700), 0);
    ck_assert_int_eq(file_join(link, inner, "link", NULL), ACTA_OK);
    ck_assert_int_eq(symlink(dir.path, link), 0);
    ck_assert_int_eq(file_remove_tree(tree, NULL), ACTA_OK);
    ck_assert(!file_exists(tree));
    ck_assert(file_exists(path)); /* What a link points to stays. */
}
END_TEST

START_TEST(space_is_told_of_what_exists)
{
    ck_assert_uint_gt(file_space(dir.path), 0);
    ck_assert_uint_eq(file_space("/no/where"), 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("file");
    TCase *tcase = tcase_create("file");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_is_written_at_an_offset_is_read_there);
    tcase_add_test(tcase, reading_beyond_the_end_gives_what_there_is);
    tcase_add_test(tcase, failures_say_what_was_done_to_which_path_and_why);
    tcase_add_loop_test(tcase,
                        no_space_and_no_memory_are_told_apart_from_all_else, 0,
                        (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tcase, a_write_without_space_is_full);
    tcase_add_test(tcase, a_path_that_is_too_long_is_refused);
    tcase_add_test(tcase, renaming_takes_the_place_of_what_was_there);
    tcase_add_test(tcase, a_tree_is_removed_and_none_is_no_failure);
    tcase_add_test(tcase, space_is_told_of_what_exists);
    return run_suite(suite);
}
