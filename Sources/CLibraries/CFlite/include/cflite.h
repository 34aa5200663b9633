/* flite has no pkg-config file and declares its voices nowhere: this does both. */
#pragma once
#include <flite/flite.h>

cst_voice *register_cmu_us_kal(const char *voxdir);
cst_voice *register_cmu_us_kal16(const char *voxdir);
cst_voice *register_cmu_us_slt(const char *voxdir);
cst_voice *register_cmu_us_rms(const char *voxdir);

/* Not in flite's headers either: the English lexicon with its letter-to-sound rules. */
cst_lexicon *cmu_lex_init(void);
