/* Metadata: an object of texts that is made and looked into, and objects of
 * others, which may be anything.
 */

#include "service/metadata.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "rnd.h"
#include "run.h"

static struct buf object;
static struct buf value;

static void
setup(void)
{
    buf_init(&object, 4096);
    buf_init(&value, 4096);
}

static void
teardown(void)
{
    buf_fini(&object);
    buf_fini(&value);
}

/* What is under the key "k" of this object; NULL: there is no such text. */
static const char *
found_in(const char *json)
{
    buf_clear(&value);
    return metadata_get(json, strlen(json), "k", &value)
               ? (const char *)buf_slice(&value).data
               : NULL;
}

static const struct {
    const char *json;
    const char *text; /* NULL: none. */
} objects[] = {
    {"{\"k\": \"v\"}", "v"},
    {" {\n\"a\" : \"b\" , \"k\":\"v\" } ", "v"},
    {"{\"a\": {\"k\": \"no\"}, \"k\": \"v\"}", "v"},
    {"{\"a\": [\"k\", {\"k\": 1}, []], \"k\": \"v\"}", "v"},
    {"{\"a\": -1.5e3, \"b\": null, \"c\": true, \"k\": \"v\"}", "v"},
    {"{\"a\": \"}\", \"k\": \"v\"}", "v"},
    {"{\"a\": \"\\\"\", \"k\": \"\\\\\\/\\b\\f\\n\\r\\t\"}", "\\/\b\f\n\r\t"},
    {"{\"k\": \"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"}",
     "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"{\"\\u006b\": \"v\"}", "v"},
    {"{\"k\": \"first\", \"k\": \"second\"}", "first"},
    {"{\"k\": \"\"}", ""},

    {"", NULL},
    {"null", NULL},
    {"{}", NULL},
    {"{\"a\": \"b\"}", NULL},
    {"[\"k\", \"v\"]", NULL},
    {"{\"k\": 1}", NULL},
    {"{\"k\": {\"k\": \"v\"}}", NULL},
    {"{\"k\"", NULL},
    {"{\"k\": \"v", NULL},
    {"{\"k\": \"v\\", NULL},
    {"{\"k\": \"\\x\"}", NULL},
    {"{\"k\": \"\\u00\"}", NULL},
    {"{\"k\": \"\\u00zz\"}", NULL},
    {"{\"k\": \"\\u0000\"}", NULL},
    {"{\"k\": \"\\ud83d\"}", NULL},
    {"{\"k\": \"\\ud83d\\u0041\"}", NULL},
    {"{\"k\": \"\\ude00\"}", NULL},
    {"{\"kk\": \"v\", \"\": \"v\"}", NULL},
};

START_TEST(text_is_found_among_values_of_any_kind)
{
    const char *found = found_in(objects[_i].json);

    if (objects[_i].text == NULL) {
        ck_assert_ptr_null(found);
        ck_assert_uint_eq(buf_size(&value), 0);
    } else {
        ck_assert_ptr_nonnull(found);
        ck_assert_str_eq(found, objects[_i].text);
    }
}
END_TEST

START_TEST(what_was_put_is_found)
{
    static const char text[] = "a \"b\" \\ \n\x01 \xc3\xa9";

    metadata_put(&object, "a", "1");
    metadata_put(&object, "k", text);
    metadata_put(&object, "b\"", "2");
    ck_assert(
        metadata_get(buf_slice(&object).data, buf_size(&object), "k", &value));
    ck_assert_str_eq((const char *)buf_slice(&value).data, text);
    buf_clear(&value);
    ck_assert(metadata_get(buf_slice(&object).data, buf_size(&object), "b\"",
                           &value));
    ck_assert_str_eq((const char *)buf_slice(&value).data, "2");
}
END_TEST

/* Whatever bytes there are: nothing is read that is not there, and a text that
 * is found ends.
 */
START_TEST(bytes_that_are_no_object_do_no_harm)
{
    static const char letters[] = "{}[]\":,\\uk0dD8 v\n\xff";
    struct rnd rnd;

    rnd_init(&rnd);
    for (int round = 0; round < 20000; round++) {
        size_t size = (size_t)rnd_below(&rnd, 40);
        char *bytes = malloc(size + 1);

        ck_assert_ptr_nonnull(bytes);
        memcpy(bytes, "{\"k\":", size < 5 ? size : 5);
        for (size_t i = rnd_once_in(&rnd, 2) ? 0 : 5; i < size; i++) {
            bytes[i] = letters[rnd_below(&rnd, sizeof(letters) - 1)];
        }
        buf_clear(&value);
        if (metadata_get(bytes, size, "k", &value)) {
            ck_assert_uint_eq(strlen((const char *)buf_slice(&value).data) + 1,
                              buf_size(&value));
        } else {
            ck_assert_uint_eq(buf_size(&value), 0);
        }
        free(bytes);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("metadata");
    TCase *tcase = tcase_create("metadata");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, text_is_found_among_values_of_any_kind, 0,
                        (int)(sizeof(objects) / sizeof(objects[0])));
    tcase_add_test(tcase, what_was_put_is_found);
    tcase_add_test(tcase, bytes_that_are_no_object_do_no_harm);
    return run_suite(suite);
}
