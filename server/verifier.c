#include "verifier.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "msg_verify.h"
#include "verify_live.h"
#include "waiting.h"

#define STEP_SIZE    (UINT64_C(1) << 20)
#define RATE_USUAL   (UINT64_C(32) << 20) /* Bytes a second. */
#define ANSWER_US    500000               /* A request waits for so long. */
#define ABANDONED_US 5000000 /* Nobody has asked for so long: it may go. */
#define JOBS_MAX     64      /* That wait. */
#define NICENESS     10

struct finding {
    struct finding *next;
    struct acta_err what;
    char file[];
};

struct verifier {
    struct rooms *rooms;
    struct verify_options options;
    char *dir; /* owned */
    pthread_t thread;

    pthread_mutex_t lock; /* Guards what follows. */
    pthread_cond_t changed;
    struct job *first; /* owned, as are those behind it */
    size_t jobs_count;
    bool is_stopping;

    /* The thread's alone. */
    struct verify_live *live; /* owned: NULL if none is under way */
    bool is_done;
    uint64_t id;
    uint64_t asked_us;        /* When it was last asked for. */
    uint64_t may_us;          /* When more may be read. */
    struct finding *findings; /* owned: not told yet, in order */
    struct finding **findings_end;
    struct msg_verified verified; /* The answer; too large for a stack. */
};

static uint64_t
now_us(void)
{
    return clock_mono().us;
}

/* ---- what was found ---- */

static void
on_problem(void *user, const struct acta_err *what)
{
    struct verifier *verifier = user;
    const char *file = verify_live_report(verifier->live)->file;
    struct finding *finding = malloc(sizeof(*finding) + strlen(file) + 1);

    log_error(log_event("damage found"), log_text("file", file),
              log_text("reason", what->text));
    if (finding == NULL) {
        return; /* It is counted, and in the log. */
    }
    finding->next = NULL;
    finding->what = *what;
    strcpy(finding->file, file);
    *verifier->findings_end = finding;
    verifier->findings_end = &finding->next;
}

static void
forget_findings(struct verifier *verifier)
{
    while (verifier->findings != NULL) {
        struct finding *next = verifier->findings->next;

        free(verifier->findings);
        verifier->findings = next;
    }
    verifier->findings_end = &verifier->findings;
}

/* ---- a verification ---- */

static void
end_live(struct verifier *verifier)
{
    verify_live_free(verifier->live);
    verifier->live = NULL;
    forget_findings(verifier);
}

static enum acta_code
begin_live(struct verifier *verifier, struct acta_err *err)
{
    enum acta_code code;

    end_live(verifier);
    code = verify_live_new(&verifier->live, verifier->rooms, &verifier->options,
                           err);
    if (code == ACTA_OK) {
        verifier->id++;
        verifier->is_done = false;
        verifier->may_us = now_us();
        log_info(log_event("verifying"), log_number("id", verifier->id));
    }
    return code;
}

/* The one that @job asks for. */
static enum acta_code
find_live(struct verifier *verifier, const struct job *job,
          struct acta_err *err)
{
    /* One that has come to its end is there while it has more to tell. */
    bool is_alive =
        verifier->live != NULL && now_us() - verifier->asked_us < ABANDONED_US;

    if (job->verify.id != 0) {
        return verifier->live != NULL && job->verify.id == verifier->id
                   ? ACTA_OK
                   : acta_fail(err, ACTA_NOT_FOUND,
                               "verification %ju has ended",
                               (uintmax_t)job->verify.id);
    }
    if (is_alive) {
        return acta_fail(err, ACTA_BUSY, "the database is being verified");
    }
    return begin_live(verifier, err);
}

static bool
is_stopping(struct verifier *verifier)
{
    bool is_stopping;

    pthread_mutex_lock(&verifier->lock);
    is_stopping = verifier->is_stopping;
    pthread_mutex_unlock(&verifier->lock);
    return is_stopping;
}

/* Until then, or until it is to stop. */
static void
rest(struct verifier *verifier, uint64_t until_us)
{
    uint64_t now;

    pthread_mutex_lock(&verifier->lock);
    while (!verifier->is_stopping && (now = now_us()) < until_us) {
        uint64_t ms = (until_us - now) / 1000 + 1;
        struct timespec until = waiting_until((unsigned)ms);

        (void)waiting_wait(&verifier->changed, &verifier->lock, &until);
    }
    pthread_mutex_unlock(&verifier->lock);
}

static uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Read on until there is something to say. */
static enum acta_code
run_live(struct verifier *verifier, uint64_t rate, struct acta_err *err)
{
    uint64_t until_us = now_us() + ANSWER_US;
    enum acta_code code = ACTA_OK;

    rate = rate == 0 ? RATE_USUAL : rate;
    while (code == ACTA_OK && !verifier->is_done &&
           verifier->findings == NULL && now_us() < until_us &&
           !is_stopping(verifier)) {
        uint64_t before = verify_live_read(verifier->live), read;

        if (now_us() < verifier->may_us) {
            rest(verifier, least(verifier->may_us, until_us));
            continue;
        }
        code = verify_live_step(verifier->live, least(STEP_SIZE, rate),
                                &verifier->is_done, err);
        read = verify_live_read(verifier->live) - before;
        verifier->may_us = now_us() + read * 1000000 / rate;
    }
    return code;
}

/* ---- answers ---- */

static void
answer(struct verifier *verifier, struct job *job)
{
    const struct verify_report *report = verify_live_report(verifier->live);
    struct msg_verified *verified = &verifier->verified;
    struct finding *finding = verifier->findings;

    *verified = (struct msg_verified){
        .id = verifier->id,
        .read = verify_live_read(verifier->live),
        .size = verify_live_size(verifier->live),
        .problems_found = report->problems,
        .head = report->head,
        .pages = report->pages,
        .has_tables = report->has_tables,
        .events = report->events,
        .streams = report->streams,
        .lists = report->lists,
        .ids = report->ids,
        .rows = report->rows,
        .segments = report->segments,
        .entries = report->entries,
        .first_entry = report->first_entry,
        .last_entry = report->last_entry,
    };
    while (finding != NULL && verified->problems_count < MSG_PROBLEMS_MAX) {
        verified->problems[verified->problems_count++] = (struct msg_problem){
            slice_of(finding->file), slice_of(finding->what.text)};
        finding = finding->next;
    }
    verified->is_done = verifier->is_done && finding == NULL;
    msg_verified_encode(&job->outcome.reply, job->request_id, verified);
    while (verifier->findings != finding) {
        struct finding *next = verifier->findings->next;

        free(verifier->findings);
        verifier->findings = next;
    }
    if (finding == NULL) {
        verifier->findings_end = &verifier->findings;
    }
    if (verified->is_done) {
        log_info(log_event("verified"), log_number("id", verifier->id),
                 log_number("problems", report->problems));
        end_live(verifier);
    }
}

static void
carry_out(struct verifier *verifier, struct job *job)
{
    struct acta_err err;
    enum acta_code code = find_live(verifier, job, &err);

    if (code == ACTA_OK) {
        code = run_live(verifier, job->verify.rate, &err);
        if (code != ACTA_OK) {
            end_live(verifier);
        }
    }
    if (code == ACTA_OK) {
        answer(verifier, job);
    } else {
        (void)job_refuse(job, code, "%s", err.text);
    }
    verifier->asked_us = now_us();
}

static void
give_back(struct job *job)
{
    job->next = NULL;
    completions_give(job->completions, job, job);
}

/* ---- the thread ---- */

/* NULL at the end. */
static struct job *
take(struct verifier *verifier)
{
    struct job *job;

    pthread_mutex_lock(&verifier->lock);
    while (!verifier->is_stopping && verifier->first == NULL) {
        pthread_cond_wait(&verifier->changed, &verifier->lock);
    }
    job = verifier->is_stopping ? NULL : verifier->first;
    if (job != NULL) {
        verifier->first = job->next;
        verifier->jobs_count--;
    }
    pthread_mutex_unlock(&verifier->lock);
    return job;
}

/* None comes any more. */
static void
refuse_all(struct verifier *verifier)
{
    struct job *job, *next;

    for (job = verifier->first; job != NULL; job = next) {
        next = job->next;
        (void)job_refuse(job, ACTA_STOPPING, "server is stopping");
        give_back(job);
    }
}

static void *
run(void *user)
{
    struct verifier *verifier = user;
    struct job *job;

    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
    while ((job = take(verifier)) != NULL) {
        carry_out(verifier, job);
        give_back(job);
    }
    refuse_all(verifier);
    return NULL;
}

enum acta_code
verifier_start(struct verifier **out, struct rooms *rooms, const char *dir,
               struct acta_err *err)
{
    struct verifier *verifier = calloc(1, sizeof(*verifier));

    *out = NULL;
    if (verifier != NULL) {
        verifier->dir = strdup(dir);
    }
    if (verifier == NULL || verifier->dir == NULL) {
        free(verifier);
        return acta_fail(err, ACTA_MEMORY, "start to verify");
    }
    verifier->rooms = rooms;
    verifier->options = (struct verify_options){
        .dir = verifier->dir, .problem = on_problem, .user = verifier};
    verifier->findings_end = &verifier->findings;
    verifier->id = clock_wall().us; /* Not those of the process before. */
    pthread_mutex_init(&verifier->lock, NULL);
    waiting_init(&verifier->changed);
    if (pthread_create(&verifier->thread, NULL, run, verifier) != 0) {
        pthread_cond_destroy(&verifier->changed);
        pthread_mutex_destroy(&verifier->lock);
        free(verifier->dir);
        free(verifier);
        return acta_fail(err, ACTA_MEMORY, "start to verify: no thread");
    }
    *out = verifier;
    return ACTA_OK;
}

void
verifier_refuse(struct verifier *verifier)
{
    pthread_mutex_lock(&verifier->lock);
    verifier->is_stopping = true;
    pthread_cond_broadcast(&verifier->changed);
    pthread_mutex_unlock(&verifier->lock);
}

void
verifier_stop(struct verifier *verifier)
{
    if (verifier == NULL) {
        return;
    }
    verifier_refuse(verifier);
    pthread_join(verifier->thread, NULL);
    end_live(verifier);
    pthread_cond_destroy(&verifier->changed);
    pthread_mutex_destroy(&verifier->lock);
    free(verifier->dir);
    free(verifier);
}

enum acta_code
verifier_submit(struct verifier *verifier, struct job *job)
{
    struct job **end = &verifier->first;
    enum acta_code code = ACTA_OK;
    bool is_refused = false;

    pthread_mutex_lock(&verifier->lock);
    if (verifier->is_stopping) {
        code = ACTA_STOPPING;
    } else if (verifier->jobs_count == JOBS_MAX) {
        is_refused = true;
    } else {
        while (*end != NULL) {
            end = &(*end)->next;
        }
        job->next = NULL;
        *end = job;
        verifier->jobs_count++;
        pthread_cond_signal(&verifier->changed);
    }
    pthread_mutex_unlock(&verifier->lock);
    if (is_refused) {
        (void)job_refuse(job, ACTA_BUSY, "the database is being verified");
        give_back(job);
    }
    return code;
}
