#include "scene.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"
#include "work.h"

#define PATIENCE_MS 60000
#define TIMEOUT_S   7200

struct scene scene;

void
scene_setup(void)
{
    rnd_init(&scene.rnd);
    scene.seed = scene.rnd.state;
    tempdir_make(&scene.dir);
    ck_assert_int_eq(mkdir(scene_path("past"), 0700), 0);
    past_make(&scene.past, scene_path("past"));
}

void
scene_teardown(void)
{
    past_free(&scene.past);
    if (access(scene_path("kept"), F_OK) == 0) {
        printf("what was found is in %s\n", scene_path("kept"));
    } else {
        tempdir_remove(&scene.dir);
    }
}

char *
scene_path(const char *name)
{
    static char paths[4][400];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", scene.dir.path, name);
    return path;
}

void *
scene_share(const char *name, size_t size)
{
    int fd = open(scene_path(name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void *memory;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert(memory != MAP_FAILED);
    close(fd);
    return memory;
}

const char *
scene_last_words(void)
{
    static char words[400];
    FILE *file = fopen(scene_path("said"), "re");
    size_t size = 0;

    if (file != NULL) {
        size = fread(words, 1, sizeof(words) - 1, file);
        fclose(file);
    }
    words[size] = '\0';
    return words;
}

void
scene_do_the_rest(unsigned from, unsigned to, struct verdict *verdict)
{
    struct progress all = {.done = to, .begun = to};
    struct work work = {
        .path = scene_path("disk/main"),
        .notes = scene_path("notes"),
        .from = from,
        .to = to,
        .closes = false,
        .patience_ms = PATIENCE_MS,
        .said = scene_path("said"),
    };

    verdict->is_good = work_run(&work) == 0;
    if (verdict->is_good) {
        inspect(&scene.past, &all, scene_path("disk/main"), INSPECT_STARTS,
                verdict);
    } else {
        snprintf(verdict->text, sizeof(verdict->text),
                 "the rest from step %u could not be done: %s", from,
                 scene_last_words());
    }
}

int
scene_run(const char *name, TCase *tcase)
{
    Suite *suite = suite_create(name);

    if (access("/dev/shm", W_OK) == 0) {
        setenv("TMPDIR", "/dev/shm", 0);
    }
    tcase_set_timeout(tcase, TIMEOUT_S);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
