/* Turns the history of a git repository into events, as acta import takes them:
 *
 *     git log -z --reverse --no-merges --root --raw --numstat -M --no-abbrev \
 *         --format='%x1e%H%x00%at%x00%an%x00%s' | acta-demo-history
 *
 * A stream a file, a type for added, changed, removed and renamed, the author
 * as a tag, the commit as correlation id.
 *
 * With -z nothing in a path or a subject can be taken for something else:
 * everything ends with a zero byte. A commit is four texts, then a
 * ":mode mode blob blob letter" and one or two paths for each file, then
 * "added TAB removed TAB path" for each file, in the same order, where a rename
 * has an empty path and two more texts.
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COMMIT_MARK   '\x1e'
#define NAME_SIZE_MAX 255 /* Of a stream and of a tag, in bytes. */
#define HASH_SIZE     17  /* Of a name that is cut: '~' and 16 digits. */

struct change {
    char letter;     /* A, M, D, R, or another that counts as M. */
    char *path;      /* owned */
    char *from;      /* owned; NULL unless renamed */
    char counts[64]; /* "added TAB removed TAB", "-" each for binary */
};

struct commit {
    char *hash, *time, *author, *subject; /* owned */
    struct change *changes;               /* owned */
    size_t changes_count;
    size_t changes_capacity;
    size_t counted; /* Changes whose counts have come. */
};

static char *token; /* The text read last. */
static size_t token_capacity;

static void
fail(const char *what)
{
    fprintf(stderr, "acta-demo-history: %s\n", what);
    exit(EXIT_FAILURE);
}

static char *
copy(const char *text)
{
    char *made = strdup(text);

    if (made == NULL) {
        fail("out of memory");
    }
    return made;
}

/* Read the next text, without the line end that stands before the first file
 * of a commit. False at the end.
 */
static bool
next(void)
{
    ssize_t size = getdelim(&token, &token_capacity, '\0', stdin);

    if (size < 0) {
        return false;
    }
    if (*token == '\n') {
        memmove(token, token + 1, (size_t)size);
    }
    return true;
}

static char *
take(void)
{
    if (!next()) {
        fail("git log ends in the middle");
    }
    return copy(token);
}

/* ---- texts ---- */

/* Size of the UTF-8 character at @text; 0 if there is none, or a control
 * character.
 */
static size_t
character_size(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t size = *at < 0x80   ? 1
                  : *at < 0xc2 ? 0
                  : *at < 0xe0 ? 2
                  : *at < 0xf0 ? 3
                  : *at < 0xf5 ? 4
                               : 0;

    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if (*at < 0x20 || *at == 0x7f || (*at == 0xc2 && at[1] < 0xa0) ||
        (*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f) ||
        (*at == 0xf0 && at[1] < 0x90) || (*at == 0xf4 && at[1] > 0x8f)) {
        return 0;
    }
    return size;
}

/* Different for different texts: FNV-1a of 64 bits. */
static uint64_t
hash_of(const char *text)
{
    uint64_t hash = 14695981039346656037u;

    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t)*text) * 1099511628211u;
    }
    return hash;
}

/* Make a name out of any bytes: what is no text becomes %XX, as does % itself,
 * and what is too long is cut and ends with a digest of all of it. So different
 * texts have different names.
 */
static void
make_name(char name[NAME_SIZE_MAX + 1], const char *before, const char *text)
{
    size_t used = strlen(before);
    size_t fits = used; /* Where to cut. */
    const char *at = text;

    memcpy(name, before, used);
    while (*at != '\0') {
        size_t size = *at == '%' ? 0 : character_size(at);
        size_t needs = size == 0 ? 3 : size;

        if (used + needs > NAME_SIZE_MAX) {
            snprintf(name + fits, HASH_SIZE + 1, "~%016" PRIx64, hash_of(text));
            return;
        }
        if (size == 0) {
            snprintf(name + used, 4, "%%%02X", (unsigned char)*at);
        } else {
            memcpy(name + used, at, size);
        }
        used += needs;
        at += size == 0 ? 1 : size;
        if (used + HASH_SIZE <= NAME_SIZE_MAX) {
            fits = used;
        }
    }
    name[used] = '\0';
}

/* As a JSON string; what is no UTF-8 becomes U+FFFD. */
static void
put_string(const char *text)
{
    putchar('"');
    while (*text != '\0') {
        unsigned char byte = (unsigned char)*text;
        size_t size = character_size(text);

        if (byte == '"' || byte == '\\') {
            printf("\\%c", byte);
        } else if (byte < 0x20 || byte == 0x7f) {
            printf("\\u%04x", byte);
        } else if (size == 0) {
            fputs("\\ufffd", stdout);
        } else {
            fwrite(text, 1, size, stdout);
        }
        text += size == 0 ? 1 : size;
    }
    putchar('"');
}

static void
put_member(const char *name, const char *text)
{
    printf(",\"%s\":", name);
    put_string(text);
}

/* The first 16 bytes of a commit's hash as a UUID of version 8. */
static void
put_correlation_id(const char *hash)
{
    char digits[33];

    snprintf(digits, sizeof(digits), "%s", hash);
    digits[12] = '8';
    digits[16] = "89ab"[strtoul((char[]){digits[16], '\0'}, NULL, 16) & 3];
    printf(",\"correlation_id\":\"%.8s-%.4s-%.4s-%.4s-%.12s\"", digits,
           digits + 8, digits + 12, digits + 16, digits + 20);
}

/* ---- events ---- */

static const char *
type_of(char letter)
{
    switch (letter) {
    case 'A':
        return "FileAdded";
    case 'D':
        return "FileRemoved";
    case 'R':
        return "FileRenamed";
    default:
        return "FileChanged";
    }
}

static void
put_author_time(const char *seconds)
{
    time_t time = (time_t)strtoll(seconds, NULL, 10);
    char text[40];
    struct tm tm;

    if (gmtime_r(&time, &tm) != NULL &&
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0) {
        put_member("authored", text);
    }
}

static void
put_event(const struct commit *commit, const struct change *change)
{
    char name[NAME_SIZE_MAX + 1];
    uint64_t added, removed;

    make_name(name, "file-", change->path);
    fputs("{\"stream\":", stdout);
    put_string(name);
    put_member("type", type_of(change->letter));
    make_name(name, "author:", commit->author);
    fputs(",\"tags\":[", stdout);
    put_string(name);
    putchar(']');
    put_correlation_id(commit->hash);
    fputs(",\"data\":{\"path\":", stdout);
    put_string(change->path);
    if (change->from != NULL) {
        put_member("from", change->from);
    }
    /* Binary files have no lines. */
    if (sscanf(change->counts, "%" SCNu64 "\t%" SCNu64, &added, &removed) ==
        2) {
        printf(",\"added\":%" PRIu64 ",\"removed\":%" PRIu64, added, removed);
    }
    put_member("author", commit->author);
    put_author_time(commit->time);
    put_member("subject", commit->subject);
    put_member("commit", commit->hash);
    puts("}}");
}

/* ---- commits ---- */

static void
take_commit(struct commit *commit)
{
    if (*token != COMMIT_MARK || strlen(token + 1) < 32 ||
        strspn(token + 1, "0123456789abcdef") != strlen(token + 1)) {
        fail("this is not what git log writes");
    }
    *commit = (struct commit){.hash = copy(token + 1)};
    commit->time = take();
    commit->author = take();
    commit->subject = take();
}

static void
take_change(struct commit *commit)
{
    const char *letter = strrchr(token, ' ');
    struct change *change;

    if (letter == NULL) {
        fail("a file without a letter");
    }
    if (commit->changes_count == commit->changes_capacity) {
        commit->changes_capacity = commit->changes_capacity * 2 + 16;
        commit->changes =
            reallocarray(commit->changes, commit->changes_capacity,
                         sizeof(*commit->changes));
        if (commit->changes == NULL) {
            fail("out of memory");
        }
    }
    change = &commit->changes[commit->changes_count++];
    *change = (struct change){.letter = letter[1]};
    if (change->letter == 'R' || change->letter == 'C') {
        change->from = take();
    }
    change->path = take();
}

static void
take_counts(struct commit *commit)
{
    const char *tab = strchr(token, '\t');
    const char *path = tab == NULL ? NULL : strchr(tab + 1, '\t');

    if (path == NULL || commit->counted == commit->changes_count) {
        fail("counts without a file");
    }
    snprintf(commit->changes[commit->counted++].counts,
             sizeof(commit->changes->counts), "%.*s", (int)(path - token),
             token);
    if (path[1] == '\0') {
        free(take());
        free(take());
    }
}

static void
end_commit(struct commit *commit)
{
    for (size_t i = 0; i < commit->changes_count; i++) {
        put_event(commit, &commit->changes[i]);
        free(commit->changes[i].path);
        free(commit->changes[i].from);
    }
    free(commit->changes);
    free(commit->hash);
    free(commit->time);
    free(commit->author);
    free(commit->subject);
}

int
main(void)
{
    struct commit commit;
    bool more = next();

    while (more) {
        take_commit(&commit);
        while ((more = next()) && *token != COMMIT_MARK) {
            if (*token == ':') {
                take_change(&commit);
            } else if (*token != '\0') {
                take_counts(&commit);
            }
        }
        end_commit(&commit);
    }
    free(token);
    if (fflush(stdout) != 0) {
        fail("cannot write");
    }
    return EXIT_SUCCESS;
}
