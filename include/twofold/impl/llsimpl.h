#ifndef TWOFOLD_LLSIMPL_H
#define TWOFOLD_LLSIMPL_H
#include <twofold/lls.h>
#include <twofold/impl/sysimpl.h>

extern PetscClassId LLS_CLASSID;

struct _LLSOps {
  PetscErrorCode (*solve)(LLS, Vec lambda, State x);
  PetscErrorCode (*view)(LLS, PetscViewer);
  PetscErrorCode (*destroy)(LLS);
};

struct _p_LLS {
  PETSCHEADER(struct _LLSOps);
  void *data;
  BLP blp;
  FPM fpm;
  PetscReal rtol, atol, dtol;
  PetscInt max_it;
  PetscBool warm_start, setup;
  PetscBool monitor, print_reason;
  LLSRecordFn record;
  void *recordctx;
  LLSStopFn stop;
  void *stopctx;
  LLSMonitorFn usermonitor;
  void *monitorctx;

  PetscInt its;
  PetscReal change, first_change;
  LLSConvergedReason reason;
  struct {
    PetscBool on;
    PetscInt space; /* of change[] */
    PetscReal *change;
  } kept; /* the norm of each step of the last solve, its of them */
};

/* Whether a solve keeps the norms of its steps: whoever wants them says so before each. */
PetscErrorCode LLSKeepChanges_Private(LLS lls, PetscBool keep);

/* For solvers: whether step norms are needed at all; the hook calls; the test after step lls->its. */
PetscBool LLSNeedsChange_Private(LLS lls);
PetscErrorCode LLSRecord_Private(LLS lls, State x);
PetscErrorCode LLSTest_Private(LLS lls, State x);

PetscErrorCode LLSCreate_Picard(LLS lls);

#endif
