#ifndef TWOFOLD_HGIMPL_H
#define TWOFOLD_HGIMPL_H
#include <twofold/hg.h>
#include <twofold/impl/sysimpl.h>

extern PetscClassId HG_CLASSID;

struct _HGOps {
  PetscErrorCode (*setfromoptions)(HG, PetscOptionItems *);
  PetscErrorCode (*setup)(HG);
  /* record: called before the lower-level solve, to install its hook; may be NULL */
  PetscErrorCode (*prepare)(HG);
  /* from grad1 E (hg->g1) and the state hg->x: g += the implicit part; sets the report's adjoint fields */
  PetscErrorCode (*adjoint)(HG, Vec lambda, Vec g);
  PetscErrorCode (*accept)(HG);
  PetscErrorCode (*savestate)(HG, PetscViewer);
  PetscErrorCode (*restorestate)(HG, PetscViewer);
  PetscErrorCode (*view)(HG, PetscViewer);
  PetscErrorCode (*memory)(HG, PetscLogDouble *);
  PetscErrorCode (*destroy)(HG);
};

struct _p_HG {
  PETSCHEADER(struct _HGOps);
  void *data;
  BLP blp;
  LLS lls;
  PetscBool warm_start; /* of the adjoint */
  PetscBool setup, print_reason, monitor;
  PetscBool test, tested, problem_tested; /* -hg_test; what the first solve has done */
  State x;                                /* of the last solve */
  State accepted;                         /* where warm starts begin; only with -lls_warm_start */
  Vec g1;                                 /* grad1 E at x */
  State v;                                /* adjoint; set by types that have one */
  HGReport report;
};

/* At the first solve: -blp_test_derivatives at lambda, and -hg_test on its f and g. */
PetscErrorCode HGTestProblem_Private(HG hg, Vec lambda);
PetscErrorCode HGTestGradient_Private(HG hg, Vec lambda, PetscReal f, Vec g);

PetscErrorCode HGCreate_ITD(HG hg);
PetscErrorCode HGCreate_AID(HG hg);

#endif
