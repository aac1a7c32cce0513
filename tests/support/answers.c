#include "answers.h"

static void
note(void *user)
{
    struct answers *answers = user;

    pthread_mutex_lock(&answers->lock);
    answers->has_some = true;
    pthread_cond_signal(&answers->came);
    pthread_mutex_unlock(&answers->lock);
}

void
answers_init(struct answers *answers)
{
    pthread_mutex_init(&answers->lock, NULL);
    pthread_cond_init(&answers->came, NULL);
    answers->has_some = false;
    completions_init(&answers->completions, note, answers);
}

void
answers_fini(struct answers *answers)
{
    completions_fini(&answers->completions);
    pthread_cond_destroy(&answers->came);
    pthread_mutex_destroy(&answers->lock);
}

struct job *
answers_take(struct answers *answers)
{
    pthread_mutex_lock(&answers->lock);
    while (!answers->has_some) {
        pthread_cond_wait(&answers->came, &answers->lock);
    }
    answers->has_some = false;
    pthread_mutex_unlock(&answers->lock);
    return completions_take(&answers->completions);
}
