#ifndef TWOFOLD_FPMIMPL_H
#define TWOFOLD_FPMIMPL_H
#include <twofold/fpm.h>
#include <twofold/impl/sysimpl.h>

extern PetscClassId FPM_CLASSID;

/* step, jvp, vjp, parameterjvp and parametervjpadd are required; the residual products default to v minus the
   plain one and are worth their own op where that cancels. */
struct _FPMOps {
  PetscErrorCode (*setup)(FPM); /* optional: work and glambda are there */
  PetscErrorCode (*step)(FPM, Vec lambda, State x, PetscReal *change);
  PetscErrorCode (*linearize)(FPM, Vec lambda, State x);
  PetscErrorCode (*jvp)(FPM, State, State);
  PetscErrorCode (*vjp)(FPM, State, State);
  PetscErrorCode (*residualjvp)(FPM, State, State);
  PetscErrorCode (*residualvjp)(FPM, State, State);
  PetscErrorCode (*parameterjvp)(FPM, Vec, State);
  PetscErrorCode (*parametervjpadd)(FPM, State, Vec);
  PetscErrorCode (*view)(FPM, PetscViewer);
  PetscErrorCode (*destroy)(FPM);
};

struct _p_FPM {
  PETSCHEADER(struct _FPMOps);
  void *data;
  BLP blp;
  PetscReal step, momentum;
  PetscBool uses_momentum;
  PetscBool uses_map; /* the problem's own map instead of its loss: no step size */
  PetscBool chosen;   /* the type was set by the caller or an option; else it follows the problem */
  PetscInt nstate;
  PetscBool symmetric;
  PetscBool setup, linearized;
  Vec work, glambda; /* in w's and lambda's space */
  FPMMethod method;  /* set by a type that has formulas */
  struct {
    PetscBool on, chosen, given, frozen; /* chosen: step and momentum; given: computed constants */
    FPMConstants source;
    TwofoldConstant L, mu;
  } optimal;
};

/* optimal.c: the option -fpm_step, a number or "optimal", and what goes with it. */
PetscErrorCode FPMStepFromOptions_Private(FPM fpm, PetscOptionItems *PetscOptionsObject);
/* Raises PETSC_ERR_ARG_WRONGSTATE where the step is still to be chosen. */
PetscErrorCode FPMCheckPrepared_Private(FPM fpm);
PetscErrorCode FPMViewOptimal_Private(FPM fpm, PetscViewer viewer);

/* Ops that the maps made from the loss share. */
PetscErrorCode FPMParameterJVP_Loss(FPM fpm, Vec u, State y);
PetscErrorCode FPMParameterVJPAdd_Loss(FPM fpm, State v, Vec g);

/* Types, one a file. */
PetscErrorCode FPMCreate_GD(FPM fpm);
PetscErrorCode FPMCreate_HeavyBall(FPM fpm);
PetscErrorCode FPMCreate_Nesterov(FPM fpm);
PetscErrorCode FPMCreate_Problem(FPM fpm);

#endif
