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
  PetscLogDouble start;
  ULSConvergedReason reason;
};

/* For solvers: f and g at lambda, the monitors, and whether one may step on them (else uls->reason is set).
 */
PetscErrorCode ULSComputePoint_Private(ULS uls, Vec lambda, PetscBool *usable);
/* f alone at the last point, with the monitors; sets uls->reason. */
PetscErrorCode ULSComputeLast_Private(ULS uls, Vec lambda);

PetscErrorCode ULSCreate_Descent(ULS uls);

#endif
