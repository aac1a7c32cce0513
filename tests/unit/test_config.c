#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database.h"
#include "run.h"
#include "tempdir.h"

#define ARGUMENTS_MAX 16

static struct tempdir dir;
static struct config config;
static struct acta_err err;
static char *environment[ARGUMENTS_MAX];
static char *arguments[ARGUMENTS_MAX];
static int arguments_count;

static void
setup(void)
{
    tempdir_make(&dir);
}

static void
clear(char **list)
{
    for (; *list != NULL; list++) {
        free(*list);
        *list = NULL;
    }
}

static void
teardown(void)
{
    clear(environment);
    clear(arguments);
    tempdir_remove(&dir);
}

/* Fill @list, which is empty, with texts up to a NULL. */
static int
fill(char **list, const char *first, va_list texts)
{
    int count = 0;

    for (const char *text = first; text != NULL;
         text = va_arg(texts, const char *)) {
        ck_assert_int_lt(count, ARGUMENTS_MAX - 1);
        list[count++] = strdup(text);
    }
    list[count] = NULL;
    return count;
}

static void
set_environment(const char *first, ...)
{
    va_list texts;

    clear(environment);
    va_start(texts, first);
    fill(environment, first, texts);
    va_end(texts);
}

/* Load with the options given, up to a NULL, and no file but theirs. */
static enum acta_code
load(const char *first, ...)
{
    va_list texts;

    clear(arguments);
    arguments[0] = strdup("actad");
    va_start(texts, first);
    arguments_count = 1 + fill(arguments + 1, first, texts);
    va_end(texts);
    return config_load(&config, arguments_count, arguments, environment, &err);
}

/* A file with @text, which the next call overwrites. */
static const char *
write_file(const char *text)
{
    const char *path = tempdir_file(&dir, "actad.conf");
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

static const char *
origin(enum config_key key)
{
    return config.values[key].origin;
}

/* Loading fails, and the text, without the directory of the file, is this. */
static void
assert_refused(enum acta_code code, const char *text)
{
    const char *slash = strrchr(err.text, '/');

    ck_assert_int_eq(code, ACTA_INVALID);
    ck_assert_str_eq(strncmp(err.text, dir.path, strlen(dir.path)) == 0
                         ? slash + 1
                         : err.text,
                     text);
}

START_TEST(defaults_hold_when_nothing_is_said)
{
    ck_assert_int_eq(load(NULL), ACTA_OK);
    ck_assert_int_eq(config.action, CONFIG_RUN);
    ck_assert_str_eq(config_text(&config, CONFIG_LISTEN), "127.0.0.1:2282");
    ck_assert_uint_eq(config_number(&config, CONFIG_HELLO_TIMEOUT), 5000);
    ck_assert_uint_eq(config_number(&config, CONFIG_OUTPUT_HIGH), 1 << 20);
    ck_assert_str_eq(origin(CONFIG_LISTEN), "default");
}
END_TEST

/* Who opens a database by itself, and who starts actad, get the same. */
START_TEST(defaults_are_those_of_a_database)
{
    struct database_options options;

    database_options_init(&options);
    ck_assert_int_eq(load(NULL), ACTA_OK);
    ck_assert_uint_eq(config_number(&config, CONFIG_JOURNAL_SEGMENT_SIZE),
                      options.journal_segment_size);
    ck_assert_uint_eq(config_number(&config, CONFIG_STORE_MAP_SIZE),
                      options.store_map_size);
    ck_assert_uint_eq(config_number(&config, CONFIG_EVENT_IDS),
                      options.event_ids);
    ck_assert_uint_eq(config_number(&config, CONFIG_COMMAND_IDS),
                      options.command_ids);
    ck_assert_uint_eq(config_number(&config, CONFIG_DISK_RESERVE),
                      options.disk_reserve);
    ck_assert_uint_eq(config_number(&config, CONFIG_CHECKPOINT_EVENTS),
                      options.checkpoint_events);
    ck_assert_uint_eq(config_number(&config, CONFIG_CHECKPOINT_SIZE),
                      options.checkpoint_size);
    ck_assert_uint_eq(config_number(&config, CONFIG_CHECKPOINT_JOURNAL),
                      options.checkpoint_journal);
    ck_assert_uint_eq(config_number(&config, CONFIG_CHECKPOINT_PAGES),
                      options.checkpoint_pages);
    ck_assert_uint_eq(config_number(&config, CONFIG_CHECKPOINT_AGE),
                      options.checkpoint_age_ms);
    ck_assert_uint_eq(config_number(&config, CONFIG_SWEEP_INTERVAL),
                      options.sweep_interval_ms);
    ck_assert_uint_eq(config_number(&config, CONFIG_BACKUP_KEEP),
                      options.backup_keep);
    ck_assert_uint_eq(config_number(&config, CONFIG_QUEUE_SIZE),
                      options.queue_size);
}
END_TEST

START_TEST(command_line_beats_environment_beats_file_beats_default)
{
    const char *file = write_file("peer-timeout = 1s\n"
                                  "hello-timeout = 1s\n"
                                  "output-high = 5MiB\n");

    set_environment("ACTA_PEER_TIMEOUT=2s", "ACTA_HELLO_TIMEOUT=2s",
                    "ACTA_SERVER=of-clients", NULL);
    ck_assert_int_eq(load("--config", file, "--peer-timeout", "3s", NULL),
                     ACTA_OK);
    ck_assert_uint_eq(config_number(&config, CONFIG_PEER_TIMEOUT), 3000);
    ck_assert_str_eq(origin(CONFIG_PEER_TIMEOUT), "--peer-timeout");
    ck_assert_uint_eq(config_number(&config, CONFIG_HELLO_TIMEOUT), 2000);
    ck_assert_str_eq(origin(CONFIG_HELLO_TIMEOUT), "ACTA_HELLO_TIMEOUT");
    ck_assert_uint_eq(config_number(&config, CONFIG_OUTPUT_HIGH), 5 << 20);
    ck_assert_ptr_nonnull(strstr(origin(CONFIG_OUTPUT_HIGH), "/actad.conf:3"));
    ck_assert_str_eq(origin(CONFIG_OUTPUT_LOW), "default");
}
END_TEST

START_TEST(file_named_in_the_environment_is_read)
{
    char variable[512];

    snprintf(variable, sizeof(variable), "ACTA_CONFIG=%s",
             write_file("log-level=debug"));
    set_environment(variable, NULL);
    ck_assert_int_eq(load(NULL), ACTA_OK);
    ck_assert_str_eq(config_text(&config, CONFIG_LOG_LEVEL), "debug");
}
END_TEST

START_TEST(file_may_have_comments_blanks_and_empty_values)
{
    const char *file = write_file("# comment\n"
                                  "\n"
                                  "   \t \n"
                                  "\t data-dir\t=  /srv/my data \t\n"
                                  "  # another = one\n"
                                  "pid-file =\n"
                                  "port-file = /run/#1\n"
                                  "queue-size=1 MiB");

    ck_assert_int_eq(load("--config", file, NULL), ACTA_OK);
    ck_assert_str_eq(config_text(&config, CONFIG_DATA_DIR), "/srv/my data");
    ck_assert_str_eq(config_text(&config, CONFIG_PID_FILE), "");
    ck_assert_str_eq(config_text(&config, CONFIG_PORT_FILE), "/run/#1");
    ck_assert_uint_eq(config_number(&config, CONFIG_QUEUE_SIZE), 1 << 20);
}
END_TEST

static const struct {
    const char *file;
    const char *text;
} wrong_files[] = {
    {"lisen = 127.0.0.1:1\n",
     "actad.conf:1:1: unknown key \"lisen\", did you mean \"listen\"?"},
    {"\n# x\n  data_dir = /x\n",
     "actad.conf:3:3: unknown key \"data_dir\", did you mean \"data-dir\"?"},
    {"colour = blue\n", "actad.conf:1:1: unknown key \"colour\""},
    {"listen\n", "actad.conf:1:1: \"listen\" is not \"key = value\""},
    {"= 5\n", "actad.conf:1:1: unknown key \"\""},
    {"io-threads = 2\n\nio-threads = 3\n",
     "actad.conf:3:14: io-threads is said in line 1 already"},
    {"io-threads = many\n", "actad.conf:1:14: \"many\" is not a number"},
    {"io-threads = 65\n", "actad.conf:1:14: io-threads must be from 0 to 64"},
    {"hello-timeout = 5\n",
     "actad.conf:1:17: \"5\" is not a time in ms, s, min, h or d, such as 5s"},
    {"hello-timeout = 1ms\n",
     "actad.conf:1:17: hello-timeout must be from 10ms to 10min"},
    {"queue-size = 64MB\n",
     "actad.conf:1:14: \"64MB\" is not a size in bytes, KiB, MiB, GiB or TiB, "
     "such as 64MiB"},
    {"queue-size = 18446744073709551616\n",
     "actad.conf:1:14: \"18446744073709551616\" is not a size in bytes, KiB, "
     "MiB, GiB or TiB, such as 64MiB"},
    {"queue-size = 99999999999999TiB\n",
     "actad.conf:1:14: \"99999999999999TiB\" is not a size in bytes, KiB, MiB, "
     "GiB or TiB, such as 64MiB"},
    {"log-level = loud\n",
     "actad.conf:1:13: \"loud\" is not error, warning, info or debug"},
    {"listen = here\n",
     "actad.conf:1:10: \"here\" is not an address and a port, such as "
     "127.0.0.1:2282 or [::1]:2282"},
    {"listen = 127.0.0.1:2282 # main\n",
     "actad.conf:1:25: a comment needs a line of its own"},
    {"data-dir = /srv/acta\t#main\n",
     "actad.conf:1:22: a comment needs a line of its own"},
    {"pid-file = # none\n",
     "actad.conf:1:12: a comment needs a line of its own"},
};

START_TEST(wrong_file_is_refused_with_the_place)
{
    const char *file = write_file(wrong_files[_i].file);

    assert_refused(load("--config", file, NULL), wrong_files[_i].text);
}
END_TEST

START_TEST(line_that_is_too_long_is_refused)
{
    static char text[4096];

    memset(text, 'x', sizeof(text) - 1);
    memcpy(text, "data-dir = ", 11);
    ck_assert_int_eq(load("--config", write_file(text), NULL), ACTA_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "actad.conf:1:1: line is longer"));
}
END_TEST

START_TEST(file_that_is_not_there_is_an_error_if_it_was_named)
{
    ck_assert_int_eq(load("--config", tempdir_file(&dir, "none"), NULL),
                     ACTA_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "/none: No such file"));
}
END_TEST

START_TEST(wrong_options_are_refused)
{
    assert_refused(load("--lisen", "x", NULL),
                   "unknown option \"--lisen\", did you mean \"--listen\"?");
    assert_refused(load("--zzzzzzz=1", NULL), "unknown option \"--zzzzzzz\"");
    assert_refused(load("--listen", NULL), "--listen needs a value");
    assert_refused(load("listen", NULL), "unexpected argument \"listen\"");
    assert_refused(load("--", NULL), "unexpected argument \"--\"");
    assert_refused(load("--io-threads=x", NULL),
                   "--io-threads: \"x\" is not a number");
    assert_refused(load("--data-dir=", NULL), "data-dir is empty");
    assert_refused(load("--listen=[::]:2282", NULL),
                   "listen on [::]:2282: others could reach this address and "
                   "there is no authentication; use 127.0.0.1 or [::1]");
    assert_refused(load("--output-low=2MiB", NULL),
                   "output-low (2MiB) is above output-high (1MiB)");
}
END_TEST

START_TEST(wrong_variable_is_refused_by_its_name)
{
    set_environment("ACTA_IO_THREADS=x", NULL);
    assert_refused(load(NULL), "ACTA_IO_THREADS: \"x\" is not a number");
}
END_TEST

START_TEST(actions_are_recognised_beside_options)
{
    ck_assert_int_eq(load("--check-config", "--listen=[::1]:1", NULL), ACTA_OK);
    ck_assert_int_eq(config.action, CONFIG_CHECK);
    ck_assert_str_eq(config_text(&config, CONFIG_LISTEN), "[::1]:1");
    ck_assert_int_eq(load("--dev", NULL), ACTA_OK);
    ck_assert_int_eq(config.action, CONFIG_RUN_DEV);
}
END_TEST

START_TEST(own_value_replaces_a_default_but_not_a_choice)
{
    ck_assert_int_eq(load("--log-level", "error", NULL), ACTA_OK);
    config_set_default(&config, CONFIG_LOG_LEVEL, "debug", "--dev");
    config_set_default(&config, CONFIG_QUEUE_SIZE, "1MiB", "--dev");
    ck_assert_str_eq(config_text(&config, CONFIG_LOG_LEVEL), "error");
    ck_assert_uint_eq(config_number(&config, CONFIG_QUEUE_SIZE), 1 << 20);
    ck_assert_str_eq(origin(CONFIG_QUEUE_SIZE), "--dev");
}
END_TEST

/* What --check-config prints is a file that says the same. */
START_TEST(printed_values_are_a_file)
{
    static struct config before;
    const char *path = tempdir_file(&dir, "printed.conf");
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(load("--peer-timeout=90s", "--pid-file=/x y", NULL),
                     ACTA_OK);
    config_print_values(&config, file);
    fclose(file);
    before = config;
    ck_assert_int_eq(load("--config", path, NULL), ACTA_OK);
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        ck_assert_str_eq(config.values[i].text, before.values[i].text);
        ck_assert_uint_eq(config.values[i].number, before.values[i].number);
    }
}
END_TEST

/* What @print writes, in memory that the next call overwrites. */
static const char *
printed(void (*print)(FILE *out))
{
    static char text[65536];
    FILE *file = fmemopen(text, sizeof(text), "w");

    ck_assert_ptr_nonnull(file);
    print(file);
    ck_assert_int_eq(fclose(file), 0);
    return text;
}

START_TEST(help_and_manual_have_every_key)
{
    char option[64];

    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        snprintf(option, sizeof(option), "  --%s ", config_rows[i].name);
        ck_assert_ptr_nonnull(strstr(printed(config_print_help), option));
    }
}
END_TEST

START_TEST(help_fits_a_terminal)
{
    const char *text = printed(config_print_help);

    while (*text != '\0') {
        size_t size = strcspn(text, "\n");

        ck_assert_uint_le(size, 79);
        text += size + 1;
    }
}
END_TEST

/* The page carries what config_print_manual() prints, between two marks. */
START_TEST(manual_page_is_up_to_date)
{
    static char page[65536];
    const char *path = run_source("server/actad.conf.5");
    const char *options;
    FILE *file = fopen(path, "r");
    size_t size;

    ck_assert_ptr_nonnull(file);
    size = fread(page, 1, sizeof(page) - 1, file);
    ck_assert_uint_lt(size, sizeof(page) - 1);
    fclose(file);
    options = printed(config_print_manual);
    ck_assert_msg(strstr(page, options) != NULL,
                  "the options in %s are not those of the table: replace them "
                  "by what \"actad --print-manual-options\" prints",
                  path);
}
END_TEST

static const struct {
    enum config_type type;
    uint64_t number;
    const char *text;
} numbers[] = {
    {CONFIG_SIZE, 0, "0"},
    {CONFIG_SIZE, 1023, "1023"},
    {CONFIG_SIZE, 1024, "1KiB"},
    {CONFIG_SIZE, 1536, "1536"},
    {CONFIG_SIZE, UINT64_C(3) << 40, "3TiB"},
    {CONFIG_SIZE, UINT64_MAX, "18446744073709551615"},
    {CONFIG_DURATION, 0, "0ms"},
    {CONFIG_DURATION, 1500, "1500ms"},
    {CONFIG_DURATION, 60000, "1min"},
    {CONFIG_DURATION, 7200000, "2h"},
    {CONFIG_NUMBER, 4096, "4096"},
};

START_TEST(numbers_are_written_as_they_are_read)
{
    char text[CONFIG_NUMBER_TEXT_SIZE];
    uint64_t number;

    config_format_number(numbers[_i].type, numbers[_i].number, text);
    ck_assert_str_eq(text, numbers[_i].text);
    ck_assert_int_eq(config_parse_value(numbers[_i].type, text, &number, &err),
                     ACTA_OK);
    ck_assert_uint_eq(number, numbers[_i].number);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("config");
    TCase *tcase = tcase_create("config");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, defaults_hold_when_nothing_is_said);
    tcase_add_test(tcase, defaults_are_those_of_a_database);
    tcase_add_test(tcase,
                   command_line_beats_environment_beats_file_beats_default);
    tcase_add_test(tcase, file_named_in_the_environment_is_read);
    tcase_add_test(tcase, file_may_have_comments_blanks_and_empty_values);
    tcase_add_loop_test(tcase, wrong_file_is_refused_with_the_place, 0,
                        (int)(sizeof(wrong_files) / sizeof(wrong_files[0])));
    tcase_add_test(tcase, line_that_is_too_long_is_refused);
    tcase_add_test(tcase, file_that_is_not_there_is_an_error_if_it_was_named);
    tcase_add_test(tcase, wrong_options_are_refused);
    tcase_add_test(tcase, wrong_variable_is_refused_by_its_name);
    tcase_add_test(tcase, actions_are_recognised_beside_options);
    tcase_add_test(tcase, own_value_replaces_a_default_but_not_a_choice);
    tcase_add_test(tcase, printed_values_are_a_file);
    tcase_add_test(tcase, help_and_manual_have_every_key);
    tcase_add_test(tcase, help_fits_a_terminal);
    tcase_add_test(tcase, manual_page_is_up_to_date);
    tcase_add_loop_test(tcase, numbers_are_written_as_they_are_read, 0,
                        (int)(sizeof(numbers) / sizeof(numbers[0])));
    return run_suite(suite);
}
