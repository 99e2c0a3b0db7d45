#ifndef TWOFOLD_FPMIMPL_H
#define TWOFOLD_FPMIMPL_H
#include <twofold/blpsweep.h>
#include <twofold/fpm.h>
#include <twofold/impl/sysimpl.h>

extern PetscClassId FPM_CLASSID;

/* step, jvp, vjp, parameterjvp and parametervjpadd are required; the residual products default to v minus the
   plain one and are worth their own op where that cancels. */
struct _FPMOps {
  PetscErrorCode (*setup)(FPM); /* optional: work and glambda are there */
  PetscErrorCode (*step)(FPM, Vec lambda, State x, PetscReal *change);
  PetscErrorCode (*steps)(FPM, Vec lambda, PetscInt n,
                          State x); /* optional: n of them, without their changes */
  PetscErrorCode (*linearize)(FPM, Vec lambda, State x);
  PetscErrorCode (*jvp)(FPM, State, State);
  PetscErrorCode (*vjp)(FPM, State, State);
  /* v <- d1Phi^T v, and fpm->glambda <- C^T v at the point x that comes next; optional, called where the
     problem has sweeps */
  PetscErrorCode (*reverse)(FPM, Vec x, State v);
  /* n > 0 times v <- d1Phi^T v + b; *residual, where not NULL, may be left alone. Optional */
  PetscErrorCode (*adjointsteps)(FPM, State b, PetscInt n, State v, PetscReal *residual);
  PetscErrorCode (*residualjvp)(FPM, State, State);
  PetscErrorCode (*residualvjp)(FPM, State, State);
  PetscErrorCode (*parameterjvp)(FPM, Vec, State);
  PetscErrorCode (*parametervjpadd)(FPM, State, Vec);
  /* derivatives of Phi in step and momentum at the point of linearisation, in w alone: for an optimal step
     that is differentiated. The second where the type has a momentum. Optional */
  PetscErrorCode (*bystep)(FPM, Vec lambda, State x, Vec by_step, Vec by_momentum);
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
  struct {           /* follow.c: an optimal step that is differentiated */
    PetscBool on;    /* asked for; it follows where the step is optimal, too */
    Vec gradient[2]; /* of step and momentum, in lambda */
    Vec by[2];       /* of Phi in step and momentum */
  } follow;
};

/* follow.c: at set-up, choice of the step by mu and L, linearisation and products. Nothing happens where the
   step does not follow lambda. The products add the part of d2Phi u in w, and that of d2Phi^T v for v's part
   in w. */
PetscBool FPMFollows_Private(FPM fpm);
PetscErrorCode FPMSetUpFollow_Private(FPM fpm);
PetscErrorCode FPMResetFollow_Private(FPM fpm);
PetscErrorCode FPMPrepareFollow_Private(FPM fpm, Vec lambda, PetscReal mu, PetscReal L);
PetscErrorCode FPMLinearizeFollow_Private(FPM fpm, Vec lambda, State x);
PetscErrorCode FPMFollowJVPAdd_Private(FPM fpm, Vec u, Vec y);
PetscErrorCode FPMFollowVJPAdd_Private(FPM fpm, Vec v, Vec g);

/* optimal.c: the option -fpm_step, a number or "optimal", and what goes with it. */
PetscErrorCode FPMStepFromOptions_Private(FPM fpm, PetscOptionItems *PetscOptionsObject);
/* Raises PETSC_ERR_ARG_WRONGSTATE where the step is still to be chosen. */
PetscErrorCode FPMCheckPrepared_Private(FPM fpm);
PetscErrorCode FPMViewOptimal_Private(FPM fpm, PetscViewer viewer);

/* A step of a map on (w, w_prev) in one sweep: the new w takes the place of w_prev. */
PetscErrorCode FPMSweepStep_Private(FPM fpm, Vec lambda, const BLPSweep *step, State x, PetscReal *change);
/* Ops that the maps made from the loss share. */
PetscErrorCode FPMParameterJVP_Loss(FPM fpm, Vec u, State y);
PetscErrorCode FPMParameterVJPAdd_Loss(FPM fpm, State v, Vec g);
PetscErrorCode FPMAdjointStep_Loss(FPM fpm, PetscReal now, PetscReal before, State b, State v);

/* Types, one a file. */
PetscErrorCode FPMCreate_GD(FPM fpm);
PetscErrorCode FPMCreate_HeavyBall(FPM fpm);
PetscErrorCode FPMCreate_Nesterov(FPM fpm);
PetscErrorCode FPMCreate_Problem(FPM fpm);

#endif
