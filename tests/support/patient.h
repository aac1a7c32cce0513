/* Clients that wait longer than any machine takes, busy or halted for a while
 * as it may be: a test that is not about time-outs has none.
 */

#ifndef ACTA_TEST_PATIENT_H
#define ACTA_TEST_PATIENT_H

#include <acta/acta.h>

#define PATIENT_MS 600000

/* As acta_options_of(). */
static inline struct acta_options
patient_options(const char *url)
{
    struct acta_options patient = acta_options_of(url);

    patient.timeout_ms = PATIENT_MS;
    patient.silence_ms = PATIENT_MS;
    patient.connect_timeout_ms = PATIENT_MS;
    return patient;
}

#endif
