#ifndef TWOFOLD_LLSIMPL_H
#define TWOFOLD_LLSIMPL_H
#include <twofold/lls.h>
#include <twofold/impl/sysimpl.h>

extern PetscClassId LLS_CLASSID;

struct _LLSOps {
  PetscErrorCode (*setfromoptions)(LLS, PetscOptionItems *);
  PetscErrorCode (*configurechildren)(LLS); /* from options; the map has its own already */
  PetscErrorCode (*setup)(LLS);             /* the map is set up */
  PetscErrorCode (*solve)(LLS, Vec lambda, State x);
  PetscErrorCode (*view)(LLS, PetscViewer);
  PetscErrorCode (*memory)(LLS, PetscLogDouble *); /* beside the state and the map */
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
  Precond precond;   /* of the linear systems of a type that has some, which owns it; else NULL */
  PetscBool records; /* set by a type whose steps are those of the map, each told by LLSRecord_Private() */
  PetscBool monitor, print_reason;
  PetscBool resume; /* this solve goes on where the last one ended: LLSContinue_Private() */
  LLSRecordFn record;
  void *recordctx;
  LLSStopFn stop;
  void *stopctx;
  LLSStopFn poll; /* a stop hook of HG's, for which no step need be made singly */
  void *pollctx;
  PetscBool polled; /* it has said stop in this solve */
  LLSMonitorFn usermonitor;
  void *monitorctx;

  PetscInt its, products;
  PetscReal change, first_change; /* -1: not computed */
  LLSConvergedReason reason;
  struct {
    PetscBool on;
    PetscInt space; /* of change[] */
    PetscReal *change;
  } kept; /* the norm of each step of the last solve, its of them */
};

/* Whether a solve keeps the norms of its steps: whoever wants them says so before each. */
PetscErrorCode LLSKeepChanges_Private(LLS lls, PetscBool keep);

/* A second stop hook, which may also be asked in the middle of a step (newton's products) and not between
   steps that a map makes at once. LLSPoll_Private() asks it; *stop stays true to the end of the solve. */
PetscErrorCode LLSSetPoll_Private(LLS lls, LLSStopFn poll, void *ctx);
PetscErrorCode LLSPoll_Private(LLS lls, PetscBool *stop);

/* A solve at the lambda of the last one, with x as that left it: a type that keeps a history goes on with it.
 */
PetscErrorCode LLSContinue_Private(LLS lls, Vec lambda, State x);

/* One step of the map, for a solver that records, rounded as in the last solve: maps round in another way
   where the norm of the step is asked for. */
PetscErrorCode LLSRepeatStep_Private(LLS lls, Vec lambda, State x);

/* For solvers: whether step norms are needed at all; the hook calls; the test after step lls->its, or before
   the first where lls->change is known there. */
PetscBool LLSNeedsChange_Private(LLS lls);
PetscErrorCode LLSRecord_Private(LLS lls, State x);
PetscErrorCode LLSTest_Private(LLS lls, State x);

/* Adds this rank's bytes beside the state and the map. */
PetscErrorCode LLSGetMemory_Private(LLS lls, PetscLogDouble *bytes);

/* The line search of newton on a loss (linesearch.c). Whoever computes the residual puts the loss's value
   there into `trial`, NaN where there is none, and takes it over as `value` at the start. */
typedef struct {
  PetscReal value, trial; /* at the iterate, and where the residual was last computed */
  PetscBool uphill;       /* the last step was none of descent, and was not made */
} LLSLineSearch;
PetscErrorCode LLSSetLineSearch_Private(SNES snes, LLSLineSearch *search);

PetscErrorCode LLSCreate_Anderson(LLS lls);
PetscErrorCode LLSCreate_Newton(LLS lls);
PetscErrorCode LLSCreate_Picard(LLS lls);

#endif
