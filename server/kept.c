#include "kept.h"

#include <assert.h>
#include <stdlib.h>

#include "outer.h"

/* Of a connection: its bytes are its name. */
struct kept_key {
    const struct completions *completions;
    uint64_t connection_id;
};

struct kept_peer {
    struct name_node node;
    struct kept_key key;
    struct kept_list jobs; /* At least one. */
};

void
kept_init(struct kept *kept)
{
    *kept = (struct kept){0};
    TAILQ_INIT(&kept->all);
}

void
kept_fini(struct kept *kept)
{
    assert(TAILQ_EMPTY(&kept->all));

    name_map_fini(&kept->peers, NULL); /* It is empty. */
}

static struct kept_peer *
find_peer(const struct kept *kept, const struct kept_key *key)
{
    struct name_node *node =
        name_map_find(&kept->peers, slice_make(key, sizeof(*key)));

    return node == NULL ? NULL : OUTER(struct kept_peer, node, node);
}

static struct kept_peer *
get_peer(struct kept *kept, const struct kept_key *key)
{
    struct kept_peer *peer = find_peer(kept, key);

    if (peer != NULL) {
        return peer;
    }
    if (!name_map_reserve(&kept->peers, 1)) {
        return NULL;
    }
    peer = calloc(1, sizeof(*peer));
    if (peer != NULL) {
        peer->key = *key;
        peer->node.name = slice_make(&peer->key, sizeof(peer->key));
        TAILQ_INIT(&peer->jobs);
        name_map_put(&kept->peers, &peer->node);
    }
    return peer;
}

bool
kept_add(struct kept *kept, struct kept_job *at, struct job *job)
{
    struct kept_key key = {job->completions, job->connection_id};
    struct kept_peer *peer = get_peer(kept, &key);

    if (peer == NULL) {
        return false;
    }
    at->job = job;
    at->peer = peer;
    TAILQ_INSERT_TAIL(&peer->jobs, at, in_peer);
    TAILQ_INSERT_TAIL(&kept->all, at, in_all);
    return true;
}

struct job *
kept_take(struct kept *kept, struct kept_job *at)
{
    struct kept_peer *peer = at->peer;

    TAILQ_REMOVE(&kept->all, at, in_all);
    TAILQ_REMOVE(&peer->jobs, at, in_peer);
    if (TAILQ_EMPTY(&peer->jobs)) {
        name_map_remove(&kept->peers, &peer->node);
        free(peer);
    }
    return at->job;
}

struct kept_job *
kept_first(const struct kept *kept, const struct completions *completions,
           uint64_t connection_id)
{
    struct kept_key key = {completions, connection_id};
    struct kept_peer *peer;

    if (completions == NULL) {
        return TAILQ_FIRST(&kept->all);
    }
    peer = find_peer(kept, &key);
    return peer == NULL ? NULL : TAILQ_FIRST(&peer->jobs);
}
