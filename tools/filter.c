#include "filter.h"

#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "when.h"

void
filter_init(struct filter *filter)
{
    *filter = (struct filter){.query = acta_query_new()};
}

void
filter_fini(struct filter *filter)
{
    acta_query_free(filter->query);
}

/* ---- one option ---- */

typedef void add_text(struct acta_query *query, const char *text);

/* Add @text by @add, or what stands before a * at its end by @add_prefix, which
 * is NULL for what has no prefixes.
 */
static int
take_name(struct filter *filter, const char *option, const char *text,
          add_text *add, add_text *add_prefix)
{
    size_t size = strlen(text);
    bool has_star = size > 0 && text[size - 1] == '*';
    bool is_plain = has_star && size > 1 && text[size - 2] == '\\';
    char *name;

    if (has_star && !is_plain && add_prefix == NULL) {
        cli_error(ACTA_INVALID,
                  "%s %s: only types and streams can be named by how they "
                  "begin",
                  option, text);
        cli_hint("a * at the end of the name itself is written \\*");
        return EXIT_USAGE;
    }
    if (has_star && size == 1) {
        cli_error(ACTA_INVALID,
                  "%s *: what is in front of the *? --all is all events",
                  option);
        return EXIT_USAGE;
    }
    name = strdup(text);
    if (name == NULL) {
        cli_error(ACTA_MEMORY, "out of memory");
        return EXIT_OTHER;
    }
    if (is_plain) {
        strcpy(name + size - 2, "*");
    } else if (has_star) {
        name[size - 1] = '\0';
        add = add_prefix;
    }
    add(filter->query, name);
    free(name);
    return EXIT_OK;
}

static int
take_id(struct filter *filter, const char *text)
{
    struct acta_id id;

    if (!cli_id("--corr", text, &id)) {
        return EXIT_USAGE;
    }
    acta_query_correlation_id(filter->query, &id);
    return EXIT_OK;
}

static int
take_or(struct filter *filter)
{
    if (!filter->item_used) {
        cli_error(ACTA_INVALID, "--or: there is nothing in front of it");
        return EXIT_USAGE;
    }
    filter->has_or = true;
    filter->item_used = false;
    acta_query_or(filter->query);
    return EXIT_OK;
}

static int
take_since(struct filter *filter, const char *text)
{
    filter->has_since = true;
    if (!when_parse_time(text, when_now_us(), &filter->since_us)) {
        cli_error(ACTA_INVALID,
                  "--since %s: not a time such as 2h, 7d, 2026-11-21 or "
                  "2026-11-21T22:22:36Z",
                  text);
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

static int
take(struct filter *filter, int option, const char *value)
{
    switch (option) {
    case FILTER_ALL:
        filter->all = true;
        return EXIT_OK;
    case FILTER_OR:
        return take_or(filter);
    case FILTER_SINCE:
        return take_since(filter, value);
    default:
        break;
    }
    filter->used = true;
    filter->item_used = true;
    switch (option) {
    case FILTER_CATEGORY:
        return take_name(filter, "--category", value, acta_query_category,
                         NULL);
    case FILTER_TYPE:
        return take_name(filter, "--type", value, acta_query_type,
                         acta_query_type_prefix);
    case FILTER_TAG:
        return take_name(filter, "--tag", value, acta_query_tag, NULL);
    case FILTER_STREAM:
        return take_name(filter, "--stream", value, acta_query_stream,
                         acta_query_stream_prefix);
    case FILTER_CORR:
        return take_id(filter, value);
    default:
        abort();
    }
}

int
filter_option(struct filter *filter, int option, bool *taken)
{
    *taken = option >= FILTER_ALL && option < FILTER_NEXT;
    return *taken ? take(filter, option, optarg) : EXIT_OK;
}

/* ---- the whole ---- */

/* Say what is wrong with all that was taken together; NULL: nothing is. */
static const char *
mistake(const struct filter *filter, struct acta_err *err)
{
    if (filter->query == NULL) {
        return "out of memory";
    }
    if (filter->all && filter->used) {
        return "--all events, or some by name: not both";
    }
    if (filter->has_or && !filter->item_used) {
        return "--or: there is nothing behind it";
    }
    return acta_query_check(filter->query, err) == ACTA_OK ? NULL : err->text;
}

int
filter_arguments(struct filter *filter, const struct cli *cli, int argc,
                 char **argv)
{
    const char *wrong;
    struct acta_err err;
    int code;

    if (argc > 1) {
        return cli_usage(cli,
                         "%s: one stream at a time; --stream may be given "
                         "more than once",
                         argv[1]);
    }
    if (argc == 1 && filter->all) {
        return cli_usage(cli, "--all or a stream, not both");
    }
    if (argc == 1 && filter->has_or) {
        return cli_usage(cli,
                         "%s: with --or, name the stream with --stream where "
                         "it is meant",
                         argv[0]);
    }
    if (argc == 1) {
        size_t size = strlen(argv[0]);

        if (!filter->used && (size == 0 || argv[0][size - 1] != '*')) {
            filter->stream = argv[0];
        }
        code = take(filter, FILTER_STREAM, argv[0]);
        if (code != EXIT_OK) {
            return code;
        }
    }
    wrong = mistake(filter, &err);
    return wrong == NULL ? EXIT_OK : cli_usage(cli, "%s", wrong);
}

/* ---- as one text ---- */

/* Is there a quote in @text without the one that ends it? */
static bool
is_unfinished(const char *text)
{
    char quote = '\0';

    for (; *text != '\0'; text++) {
        if (*text == quote) {
            quote = '\0';
        } else if (quote == '\0' && (*text == '\'' || *text == '"')) {
            quote = *text;
        }
    }
    return quote != '\0';
}

/* Put the next word of *@text at @word, without its quotes, and go past it.
 * False: there is none.
 */
static bool
next_word(const char **text, char *word)
{
    const char *at = *text + strspn(*text, " \t\n");
    char quote = '\0';

    if (*at == '\0') {
        return false;
    }
    while (*at != '\0' && (quote != '\0' || strchr(" \t\n", *at) == NULL)) {
        char next = *at++;

        if (next == quote) {
            quote = '\0';
        } else if (quote == '\0' && (next == '\'' || next == '"')) {
            quote = next;
        } else {
            *word++ = next;
        }
    }
    *word = '\0';
    *text = at;
    return true;
}

/* The option that @word names, up to a = in it. */
static const struct option *
find_option(const char *word)
{
    static const struct option options[] = {FILTER_LONG_OPTIONS};
    size_t size = strcspn(word, "=");

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strncmp(word, "--", 2) == 0 &&
            size == strlen(options[i].name) + 2 &&
            strncmp(word + 2, options[i].name, size - 2) == 0 &&
            options[i].val != FILTER_SINCE) {
            return &options[i];
        }
    }
    return NULL;
}

/* Take the option that @word is, with its value in it or behind it in *@text,
 * for which there is room at @word, too.
 */
static int
take_word(struct filter *filter, const char *what, const char **text,
          char *word)
{
    const struct option *option = find_option(word);
    char *value = strchr(word, '=');

    if (option == NULL) {
        cli_error(ACTA_INVALID,
                  "%s: %s: not one of --category, --type, --tag, --stream, "
                  "--corr, --or and --all",
                  what, word);
        return EXIT_USAGE;
    }
    if (option->has_arg == no_argument) {
        return take(filter, option->val, NULL);
    }
    if (value != NULL) {
        value++;
    } else if (next_word(text, word)) {
        value = word;
    } else {
        cli_error(ACTA_INVALID, "%s: --%s needs a value behind it", what,
                  option->name);
        return EXIT_USAGE;
    }
    return take(filter, option->val, value);
}

int
filter_parse(struct filter *filter, const char *what, const char *text)
{
    char *word = malloc(strlen(text) + 1);
    const char *wrong = NULL;
    struct acta_err err;
    int code = EXIT_OK;

    if (word == NULL) {
        cli_error(ACTA_MEMORY, "out of memory");
        return EXIT_OTHER;
    }
    if (is_unfinished(text)) {
        cli_error(ACTA_INVALID, "%s: a quote is not closed", what);
        code = EXIT_USAGE;
    }
    while (code == EXIT_OK && next_word(&text, word)) {
        code = take_word(filter, what, &text, word);
    }
    free(word);
    if (code == EXIT_OK) {
        wrong = !filter->used && !filter->all
                    ? "names no event; --all means any"
                    : mistake(filter, &err);
    }
    if (wrong != NULL) {
        cli_error(ACTA_INVALID, "%s: %s", what, wrong);
        code = EXIT_USAGE;
    }
    return code;
}

/* ---- what it means ---- */

const struct acta_query *
filter_query(const struct filter *filter)
{
    return filter->used ? filter->query : NULL;
}

struct acta_read
filter_read(const struct filter *filter)
{
    return filter->stream != NULL && !filter->has_since
               ? acta_read_of_stream(filter->stream)
               : acta_read_of_query(filter_query(filter));
}

int
filter_since(const struct filter *filter, struct cli *cli, uint64_t *position)
{
    struct acta_err err;

    *position = 0;
    if (filter->has_since && acta_sync_find_time(cli->sync, filter->since_us,
                                                 position, &err) != ACTA_OK) {
        return cli_fail("--since", &err);
    }
    return EXIT_OK;
}

int
filter_tell_nothing(const struct filter *filter, struct cli *cli)
{
    const struct acta_description *description;
    enum acta_stream_state state;

    if (acta_sync_describe_stream(cli->sync, filter->stream, &description,
                                  NULL) == ACTA_OK) {
        state = description->stream->state;
        if (state != ACTA_STREAM_LIVE) {
            cli_note(cli, "%s: is %s", filter->stream, out_state(state));
            return EXIT_OK;
        }
        if (description->stream->version > 0) {
            cli_note(cli, "%s: all its events are hidden by its settings",
                     filter->stream);
            return EXIT_OK;
        }
    }
    cli_error(ACTA_NOT_FOUND, "%s: there is no such stream", filter->stream);
    return EXIT_NOT_FOUND;
}
