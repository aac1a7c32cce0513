#include "jetstream.h"

#include <nats/nats.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define TIMEOUT_MS 10000

void
nats_url(const struct peer *peer, char url[NATS_URL_SIZE])
{
    snprintf(url, NATS_URL_SIZE, "nats://127.0.0.1:%u", peer->host.port);
}

static enum acta_code
make_stream(const struct peer *peer, struct acta_err *err)
{
    static const char json[] =
        "{\"name\":\"events\",\"subjects\":[\"ev.>\"],\"storage\":\"file\","
        "\"retention\":\"limits\",\"max_msgs\":-1,\"max_bytes\":-1,"
        "\"max_age\":0,\"max_consumers\":-1,\"num_replicas\":1,"
        "\"allow_direct\":true}";
    natsConnection *nats = NULL;
    natsMsg *message = NULL;
    enum acta_code code = ACTA_OK;
    natsStatus status;
    char url[NATS_URL_SIZE];

    nats_url(peer, url);
    status = natsConnection_ConnectTo(&nats, url);
    if (status == NATS_OK) {
        status = natsConnection_RequestString(
            &message, nats, "$JS.API.STREAM.CREATE.events", json, TIMEOUT_MS);
    }
    if (status != NATS_OK) {
        code = acta_fail(err, ACTA_IO, "make a stream: %s",
                         natsStatus_GetText(status));
    } else if (strstr(natsMsg_GetData(message), "\"error\"") != NULL) {
        code = acta_fail(err, ACTA_IO, "make a stream: %.80s",
                         natsMsg_GetData(message));
    }
    natsMsg_Destroy(message);
    natsConnection_Destroy(nats);
    return code;
}

enum acta_code
nats_start(struct peer *peer, char version[PEER_TEXT_SIZE],
           struct acta_err *err)
{
    char settings[HOST_PATH_SIZE], data[HOST_PATH_SIZE], given[HOST_PATH_SIZE];
    char port[8];
    char *run[] = {"nats-server", "-c", settings, "-a", "127.0.0.1",
                   "-p",          port, "-sd",    data, NULL};
    enum acta_code code;

    peer_version("nats-server", version);
    if (strstr(version, "unknown") != NULL) {
        return acta_fail(err, ACTA_NOT_FOUND, "it is not installed");
    }
    snprintf(given, sizeof(given), "%s/nats.conf", peer->settings);
    snprintf(port, sizeof(port), "%u", peer->host.port);
    host_path(&peer->host, "nats.conf", settings);
    host_path(&peer->host, "data", data);
    code = host_copy(&peer->host, given, "nats.conf", err);
    if (code == ACTA_OK && mkdir(data, 0700) != 0) {
        code = acta_fail(err, ACTA_IO, "make %s", data);
    }
    if (code == ACTA_OK) {
        code = host_start(&peer->host, run, err);
    }
    return code == ACTA_OK ? make_stream(peer, err) : code;
}
