/* Verifications as they are asked for and told, part by part. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "answers.h"
#include "database.h"
#include "frame.h"
#include "limit.h"
#include "msg_verify.h"
#include "rot.h"
#include "run.h"
#include "segment.h"

/* The body of the one frame that is in @buf. */
static struct slice
body_of(const struct buf *buf)
{
    struct slice frame = buf_slice(buf);

    return slice_make(frame.data + FRAME_HEADER_SIZE,
                      frame.size - FRAME_HEADER_SIZE);
}

/* Let the first events of rot_base's journal be of another time than the entry
 * that they are in, which is whole: each is a problem of its own.
 */
static void
move_first_entry(void)
{
    struct segment_header header;
    struct journal_entry entry;
    size_t at = SEGMENT_HEADER_SIZE;
    struct rot_file file;
    char path[400];

    snprintf(path, sizeof(path), "%s/journal/segment-%016x", rot_base.path, 1);
    rot_read_file(&file, path);
    ck_assert_int_eq(segment_decode_header(&header, file.bytes, NULL), ACTA_OK);
    ck_assert(segment_decode_entry(&entry, file.bytes + at, header.salt));
    while (entry.block.size == 0) {
        at += journal_entry_size(entry.rows.size);
        ck_assert(segment_decode_entry(&entry, file.bytes + at, header.salt));
    }
    entry.time_us--;
    segment_encode_entry(file.bytes + at, header.salt, &entry);
    rot_write_file(&file, at, file.bytes + at, SEGMENT_ENTRY_SIZE);
    free(file.bytes);
}

/* Ask for verification @id, 0 for a new one. The answer goes to @answers. */
static struct job *
ask_for(uint64_t id, struct answers *answers)
{
    struct msg_verify verify = {.id = id, .rate = UINT32_MAX};
    struct job *job;
    struct buf buf;

    buf_init(&buf, ACTA_FRAME_SIZE_MAX);
    msg_verify_encode(&buf, 1, &verify);
    ck_assert_int_eq(job_new(&job, JOB_VERIFY, body_of(&buf), NULL), ACTA_OK);
    buf_fini(&buf);
    job->completions = &answers->completions;
    ck_assert_int_eq(database_submit(rot_base.database, job), ACTA_OK);
    return job;
}

/* Wait for the answer to @job, and free it. Texts are gone then. */
static void
take_verified(struct answers *answers, struct job *job,
              struct msg_verified *verified)
{
    ck_assert_ptr_eq(answers_take(answers), job);
    ck_assert_int_eq(job->outcome.code, ACTA_OK);
    ck_assert_int_eq(
        msg_verified_decode(verified, body_of(&job->outcome.reply), NULL),
        ACTA_OK);
    job_free(job);
}

/* Another one is refused. It was asked for right behind @job, so that nobody
 * was waited for when it was looked at.
 */
static void
check_busy(struct answers *answers, struct job *job)
{
    ck_assert_ptr_eq(answers_take(answers), job);
    ck_assert_int_eq(job->outcome.code, ACTA_BUSY);
    job_free(job);
}

/* All that is wrong is found in its last step. */
START_TEST(a_verification_is_under_way_until_all_of_its_problems_are_told)
{
    static struct msg_verified verified; /* Large. */
    struct draft drafts[MSG_PROBLEMS_MAX + 50];
    const size_t count = sizeof(drafts) / sizeof(drafts[0]);
    struct answers answers, others;

    for (size_t i = 0; i < count; i++) {
        drafts[i] = (struct draft){.id = i + 1, .type = "Made"};
    }
    base_open(&rot_base);
    ck_assert_int_eq(base_append(&rot_base, "s-1", 0, drafts, count), ACTA_OK);
    move_first_entry();
    answers_init(&answers);
    answers_init(&others);
    verified.id = 0;
    do {
        struct job *job = ask_for(verified.id, &answers);
        struct job *other = ask_for(0, &others);

        take_verified(&answers, job, &verified);
        check_busy(&others, other);
        ck_assert(!verified.is_done);
    } while (verified.problems_found == 0);
    ck_assert_uint_eq(verified.problems_found, count);
    ck_assert_uint_eq(verified.problems_count, MSG_PROBLEMS_MAX);
    take_verified(&answers, ask_for(verified.id, &answers), &verified);
    ck_assert_uint_eq(verified.problems_count, count - MSG_PROBLEMS_MAX);
    ck_assert(verified.is_done);
    base_close(&rot_base);
    answers_fini(&answers);
    answers_fini(&others);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("verifier");
    TCase *tcase = tcase_create("verifier");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, rot_init, rot_fini);
    tcase_add_test(
        tcase, a_verification_is_under_way_until_all_of_its_problems_are_told);
    return run_suite(suite);
}
