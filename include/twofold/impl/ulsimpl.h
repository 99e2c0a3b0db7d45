#ifndef TWOFOLD_ULSIMPL_H
#define TWOFOLD_ULSIMPL_H
#include <twofold/uls.h>
#include <twofold/impl/sysimpl.h>

extern PetscClassId ULS_CLASSID;

struct _ULSOps {
  PetscErrorCode (*setfromoptions)(ULS, PetscOptionItems *);
  PetscErrorCode (*setup)(ULS);
  PetscErrorCode (*solve)(ULS, Vec lambda);
  PetscErrorCode (*savestate)(ULS, PetscViewer);
  PetscErrorCode (*restorestate)(ULS, PetscViewer);
  PetscErrorCode (*view)(ULS, PetscViewer);
  PetscErrorCode (*memory)(ULS, PetscLogDouble *);
  PetscErrorCode (*destroy)(ULS);
};

struct _p_ULS {
  PETSCHEADER(struct _ULSOps);
  void *data;
  BLP blp;
  HG hg;
  LSET lset;             /* Lambda; the problem's own bounds where no other set is chosen */
  PetscBool constrained; /* it is not all of the space; after ULSSetUp() */
  PetscReal step, gatol;
  PetscInt max_it;
  PetscBool step_on_inexact, setup, monitor, print_reason;
  ULSMonitorFn usermonitor;
  void *monitorctx;
  ULSStepFn stephook;
  void *stephookctx;
  Vec g;

  PetscInt it;
  PetscReal f;
  PetscInt64 total_lower_its, total_adjoint_its, evaluations;
  struct {
    PetscInt64 lower_its, adjoint_its, evaluations;
  } behind;           /* of the last step: what a stop in the middle of the next one goes back to */
  PetscBool restored; /* lambda is that of a checkpoint */
  Vec best;           /* made with the first point */
  PetscReal best_f;
  PetscInt best_it;
  PetscLogDouble start;
  ULSConvergedReason reason;
};

/* For solvers. f (uls->f) and g (uls->g) at lambda, counted; the report tells whether they are usable. */
PetscErrorCode ULSEvaluate_Private(ULS uls, Vec lambda);
/* f alone, counted; uls->f and uls->g stay. */
PetscErrorCode ULSEvaluateObjective_Private(ULS uls, Vec lambda, PetscReal *f);
/* What every accepted point goes through once uls->f and uls->g are those at lambda: the best point, the
   monitors, and whether one may step on (else uls->reason is set). */
PetscErrorCode ULSExamine_Private(ULS uls, Vec lambda, PetscBool *usable);
/* ULSEvaluate_Private() and ULSExamine_Private(). */
PetscErrorCode ULSComputePoint_Private(ULS uls, Vec lambda, PetscBool *usable);
/* f alone at the last point, with the monitors; sets uls->reason. */
PetscErrorCode ULSComputeLast_Private(ULS uls, Vec lambda);
/* lambda <- P(lambda). */
PetscErrorCode ULSProject_Private(ULS uls, Vec lambda);
/* The step hook, once uls->it counts the step; sets uls->reason where it asks to stop. */
PetscErrorCode ULSAfterStep_Private(ULS uls);

PetscErrorCode ULSCreate_Descent(ULS uls);
PetscErrorCode ULSCreate_Tao(ULS uls);

#endif
