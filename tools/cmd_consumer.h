/* What the files behind acta consumer share. One thread. */

#ifndef ACTA_CMD_CONSUMER_H
#define ACTA_CMD_CONSUMER_H

#include <acta/acta_consumer.h>

#include "cmd.h"

#define CONSUMER_TEXT_SIZE 512

/* Print what has become of a consumer; @text is for people. EXIT_OK. */
int consumer_tell(const struct cli *cli, const char *name,
                  const struct acta_consumer_changed *changed,
                  const char *text);

/* Tell why a change was refused, with what helps. Returns what to exit with. */
int consumer_refuse(const char *name, const struct acta_err *err);

int cmd_consumer_alter(struct cli *cli, int argc, char **argv);
int cmd_consumer_claim(struct cli *cli, int argc, char **argv);
int cmd_consumer_create(struct cli *cli, int argc, char **argv);
int cmd_consumer_lag(struct cli *cli, int argc, char **argv);

#endif
