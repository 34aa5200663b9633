/* pocketsphinx is configured by a variadic call, which Swift does not import. */
#pragma once
#include <pocketsphinx.h>

/* A decoder for 16 kHz sound with an acoustic model and a dictionary, silent on standard error; NULL on failure. */
static inline ps_decoder_t *cps_new(const char *acoustic_model, const char *dictionary)
{
	cmd_ln_t *config = cmd_ln_init(NULL, ps_args(), TRUE, "-hmm", acoustic_model, "-dict", dictionary,
				       "-samprate", "16000", "-logfn", "/dev/null", "-bestpath", "no", NULL);
	ps_decoder_t *decoder;

	if (!config)
		return NULL;
	decoder = ps_init(config);
	cmd_ln_free_r(config);
	return decoder;
}
