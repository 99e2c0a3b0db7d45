/* tao: the optimisers of PETSc that need f, its gradient and perhaps bounds. A point Tao asks for is one
   hypergradient. It is computed from the states of the accepted point, since only the points that Tao takes
   as its iterates are accepted (HGAccept()), never a line search's trials. */
#include <string.h>
#include <twofold/impl/ulsimpl.h>

typedef struct {
  Tao tao;
  PetscBool defaulted;      /* the type: nobody named one, it follows the set Lambda */
  Vec x;                    /* Tao's iterate */
  Vec at;                   /* where uls->f, uls->g and HG's states were computed last */
  PetscBool has_at, failed; /* there is such a point; there was no usable hypergradient at it */
  Vec accepted;             /* the caller's lambda: the last accepted point, with f and g there */
  PetscReal f;
  Vec g;
} ULSTao;

/* ------------------------------------------------------------------ which types */

static const struct {
  const char *type;
  PetscBool gradient, bounds; /* needs gradients; keeps to bounds */
} usable[] = {{TAOLMVM, PETSC_TRUE, PETSC_FALSE},  {TAOBLMVM, PETSC_TRUE, PETSC_TRUE},
              {TAOBQNLS, PETSC_TRUE, PETSC_TRUE},  {TAOBQNKLS, PETSC_TRUE, PETSC_TRUE},
              {TAOBQNKTR, PETSC_TRUE, PETSC_TRUE}, {TAOBQNKTL, PETSC_TRUE, PETSC_TRUE},
              {TAOBNCG, PETSC_TRUE, PETSC_TRUE},   {TAOCG, PETSC_TRUE, PETSC_FALSE},
              {TAOOWLQN, PETSC_TRUE, PETSC_FALSE}, {TAONM, PETSC_FALSE, PETSC_FALSE}};
static const PetscInt nusable = sizeof(usable) / sizeof(usable[0]);

/* What the others work on. */
static const struct {
  const char *type, *needs;
} refused[] = {{TAONLS, "the Hessian of f"},
               {TAONTR, "the Hessian of f"},
               {TAONTL, "the Hessian of f"},
               {TAOTRON, "the Hessian of f"},
               {TAOBNLS, "the Hessian of f"},
               {TAOBNTR, "the Hessian of f"},
               {TAOBNTL, "the Hessian of f"},
               {TAOGPCG, "the Hessian of f, a quadratic"},
               {TAOBQPIP, "the Hessian of f, a quadratic"},
               {TAOIPM, "the Hessian of f, and constraint functions"},
               {TAOPDIPM, "the Hessian of f, and constraint functions"},
               {TAOALMM, "constraint functions and their Jacobian"},
               {TAOLCL, "a state equation as constraint"},
               {TAOSSILS, "a complementarity problem"},
               {TAOSSFLS, "a complementarity problem"},
               {TAOASILS, "a complementarity problem"},
               {TAOASFLS, "a complementarity problem"},
               {TAOPOUNDERS, "the residuals of least squares"},
               {TAOBRGN, "the residuals of least squares"},
               {TAOBMRM, "a convex f, to which it adds a regulariser"},
               {TAOADMM, "f as a sum of two objectives"},
               {TAOSHELL, "a solver of the caller's"},
               {TAOPYTHON, "a solver of the caller's"}};

/* Index among the usable types, -1 where it is none. */
static PetscInt FindUsable(const char type[])
{
  for (PetscInt i = 0; i < nusable; i++)
    if (!strcmp(usable[i].type, type)) return i;
  return -1;
}

/* Names of the usable types, all or those that keep to bounds. */
static PetscErrorCode ListUsable(PetscBool bounds, char text[], size_t len)
{
  PetscFunctionBegin;
  text[0] = 0;
  for (PetscInt i = 0; i < nusable; i++) {
    if (bounds && !usable[i].bounds) continue;
    if (text[0]) PetscCall(PetscStrlcat(text, ", ", len));
    PetscCall(PetscStrlcat(text, usable[i].type, len));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The type that was perhaps meant. */
static const char *Closest(const char type[])
{
  PetscInt best = 0;

  for (PetscInt i = 1; i < nusable; i++)
    if (TwofoldEditDistance(type, usable[i].type) < TwofoldEditDistance(type, usable[best].type)) best = i;
  return usable[best].type;
}

static PetscErrorCode CheckType(ULS uls, const char type[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)uls);
  const char *needs = NULL;
  char names[256];

  PetscFunctionBegin;
  if (FindUsable(type) >= 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(ListUsable(PETSC_FALSE, names, sizeof(names)));
  for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
    if (!strcmp(refused[i].type, type)) needs = refused[i].needs;
  PetscCheck(!needs, comm, PETSC_ERR_SUP,
             "-uls_tao_type %s needs %s; those that need no more than f and its gradient are %s", type, needs,
             names);
  SETERRQ(comm, PETSC_ERR_ARG_UNKNOWN_TYPE,
          "-uls_tao_type %s: not among the types that need no more than f and its gradient: %s; did you mean "
          "%s?",
          type, names, Closest(type));
}

/* owlqn has |lambda|_1 in its gradient and direction, but not in the f of its line search. */
static PetscErrorCode CheckOWLQN(ULS uls)
{
  PetscObject tao = (PetscObject)((ULSTao *)uls->data)->tao;
  PetscReal weight = 1; /* PETSc's */

  PetscFunctionBegin;
  PetscCall(PetscOptionsGetReal(tao->options, tao->prefix, "-tao_owlqn_lambda", &weight, NULL));
  PetscCheck(weight == 0, PetscObjectComm((PetscObject)uls), PETSC_ERR_SUP,
             "-uls_tao_type owlqn puts a multiple of |lambda|_1 into the gradient but not into f: give "
             "-uls_tao_owlqn_lambda 0 (it is %g), or use lmvm",
             (double)weight);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Tao's type and the set Lambda go together. */
static PetscErrorCode CheckSet(ULS uls, const char type[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)uls);
  const PetscInt i = FindUsable(type);
  PetscBool box;
  LSETType set;
  char names[256];

  PetscFunctionBegin;
  PetscCall(LSETGetType(uls->lset, &set));
  PetscCall(LSETGetBounds(uls->lset, NULL, NULL, &box));
  PetscCheck(box, comm, PETSC_ERR_SUP,
             "-uls_type tao knows bounds only, and the set Lambda is -lset_type %s: use -uls_type descent",
             set);
  PetscCall(ListUsable(PETSC_TRUE, names, sizeof(names)));
  PetscCheck(
      i < 0 || usable[i].bounds || !uls->constrained, comm, PETSC_ERR_SUP,
      "-uls_tao_type %s ignores bounds, and the set Lambda is -lset_type %s: use one of %s, or -uls_type "
      "descent",
      type, set, names);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ what Tao asks for */

/* t->at <- x. PETSc keeps norms with a vector; nm changes the array on one rank alone, and with it only there
   what is kept: a norm of x would then be taken from memory by some ranks, and computed by the others. */
static PetscErrorCode Take(ULSTao *t, Vec x)
{
  PetscFunctionBegin;
  PetscCall(VecCopy(x, t->at));
  PetscCall(PetscObjectStateIncrease((PetscObject)t->at));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* f and g at x in uls, unless they are there already; x is t->at then. */
static PetscErrorCode Evaluate(ULS uls, Vec x)
{
  ULSTao *t = (ULSTao *)uls->data;
  PetscBool same = PETSC_FALSE;
  PetscReal norm;
  HGReport report;

  PetscFunctionBegin;
  if (t->has_at) PetscCall(VecEqual(x, t->at, &same));
  if (same) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Take(t, x));
  t->has_at = t->failed = PETSC_TRUE;
  PetscCall(VecNorm(t->at, NORM_2, &norm));
  if (uls->reason || PetscIsInfOrNanReal(norm)) PetscFunctionReturn(PETSC_SUCCESS); /* no work for nothing */
  PetscCall(ULSEvaluate_Private(uls, t->at));
  PetscCall(HGGetReport(uls->hg, &report));
  t->failed = (PetscBool)(report.reason < HG_DIVERGED_ITS);
  if (report.reason == HG_STOPPED) uls->reason = ULS_STOPPED;
  if (report.reason == HG_DIVERGED_ITS && !uls->step_on_inexact) uls->reason = ULS_DIVERGED_INEXACT;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* f in place of one that could not be computed at x, or that is so large that the lower level is diverging.
   It lies above the accepted f by as much as the step was to gain, with a gradient of 0, so that
   interpolating line searches shorten the step about tenfold. An infinite f would make their step NaN, one of
   1e20 make it vanish in rounding. */
static PetscErrorCode Discourage(ULS uls, Vec x, PetscReal *f)
{
  ULSTao *t = (ULSTao *)uls->data;
  PetscScalar there, here;

  PetscFunctionBegin;
  PetscCall(VecDot(t->g, x, &there));
  PetscCall(VecDot(t->g, t->accepted, &here));
  PetscReal gain = PetscAbsReal(PetscRealPart(there - here));
  if (PetscIsInfOrNanReal(gain)) gain = 0;
  const PetscReal least = t->f != 0 ? 1e-3 * PetscAbsReal(t->f) : 1; /* far above a line search's slack */
  *f = t->f + PetscMax(gain, least);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whether f is beyond what a point of a converging lower level has; it is not where f is 0 by chance. */
static PetscBool Diverging(ULS uls, PetscReal f)
{
  const PetscReal accepted = ((ULSTao *)uls->data)->f;

  return (PetscBool)(accepted != 0 && f > accepted + 1e3 * PetscAbsReal(accepted));
}

static PetscErrorCode ObjectiveAndGradient(Tao tao, Vec x, PetscReal *f, Vec g, void *ctx)
{
  ULS uls = (ULS)ctx;
  ULSTao *t = (ULSTao *)uls->data;

  PetscFunctionBegin;
  (void)tao;
  PetscCall(Evaluate(uls, x));
  if (t->failed || uls->reason || Diverging(uls, uls->f)) {
    PetscCall(Discourage(uls, x, f));
    PetscCall(VecZeroEntries(g));
  } else {
    *f = uls->f;
    PetscCall(VecCopy(uls->g, g));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* For types without gradients: no adjoint is solved. */
static PetscErrorCode Objective(Tao tao, Vec x, PetscReal *f, void *ctx)
{
  ULS uls = (ULS)ctx;
  ULSTao *t = (ULSTao *)uls->data;
  PetscBool same = PETSC_FALSE;
  HGReport report;

  PetscFunctionBegin;
  (void)tao;
  *f = uls->f;
  if (t->has_at) PetscCall(VecEqual(x, t->at, &same));
  if (same && !t->failed) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Take(t, x));
  t->has_at = PETSC_FALSE; /* HG's states are x's from here on, uls->g is not */
  if (!uls->reason) PetscCall(ULSEvaluateObjective_Private(uls, t->at, f));
  PetscCall(HGGetReport(uls->hg, &report));
  if (report.reason == HG_STOPPED) uls->reason = ULS_STOPPED;
  if (report.reason == HG_DIVERGED_ITS && !uls->step_on_inexact) uls->reason = ULS_DIVERGED_INEXACT;
  if (report.reason < HG_DIVERGED_ITS || uls->reason || Diverging(uls, *f)) PetscCall(Discourage(uls, x, f));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ what Tao accepts */

/* The point in uls->f and uls->g becomes the one that trials start from. */
static PetscErrorCode Accept(ULS uls, Vec x)
{
  ULSTao *t = (ULSTao *)uls->data;

  PetscFunctionBegin;
  PetscCall(HGAccept(uls->hg));
  if (x != t->accepted) PetscCall(VecCopy(x, t->accepted));
  t->f = uls->f;
  PetscCall(VecCopy(uls->g, t->g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Tao has moved to x: one more upper step. */
static PetscErrorCode Move(ULS uls, Vec x)
{
  ULSTao *t = (ULSTao *)uls->data;
  PetscBool usable_point;
  PetscReal norm;

  PetscFunctionBegin;
  PetscCall(Evaluate(uls, x)); /* a solver may go back to a trial before the last */
  PetscCall(VecNorm(t->at, NORM_2, &norm));
  if (!uls->reason && PetscIsInfOrNanReal(norm)) uls->reason = ULS_DIVERGED_NANORINF;
  /* a line search that takes what it is given was given another f and g here */
  if (!uls->reason && !t->failed && Diverging(uls, uls->f)) uls->reason = ULS_DIVERGED_LINE_SEARCH;
  if (uls->reason) PetscFunctionReturn(PETSC_SUCCESS);
  uls->it++;
  PetscCall(PetscLogEventBegin(TWOFOLD_ULSStep, uls, x, 0, 0));
  if (t->failed) /* some line searches take what they are given */
    PetscCall(VecCopy(t->at, t->accepted));
  else
    PetscCall(Accept(uls, t->at));
  PetscCall(PetscLogEventEnd(TWOFOLD_ULSStep, uls, x, 0, 0));
  PetscCall(ULSExamine_Private(uls, t->accepted, &usable_point));
  if (usable_point) PetscCall(ULSAfterStep_Private(uls));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Tao calls it once an iteration, with its iterate: the place where a step is known to be accepted. */
static PetscErrorCode Test(Tao tao, void *ctx)
{
  ULS uls = (ULS)ctx;
  ULSTao *t = (ULSTao *)uls->data;
  PetscBool same;

  PetscFunctionBegin;
  if (!uls->reason) {
    PetscCall(VecEqual(t->x, t->accepted, &same));
    if (!same) PetscCall(Move(uls, t->x));
  }
  if (uls->reason)
    PetscCall(TaoSetConvergedReason(tao, uls->reason > 0 ? TAO_CONVERGED_USER : TAO_DIVERGED_USER));
  else if (uls->it >= uls->max_it)
    PetscCall(TaoSetConvergedReason(tao, TAO_DIVERGED_MAXITS));
  else
    PetscCall(TaoDefaultConvergenceTest(tao, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ solve */

static ULSConvergedReason Translate(TaoConvergedReason reason)
{
  switch (reason) {
  case TAO_CONVERGED_GATOL:
    return ULS_CONVERGED_GATOL;
  case TAO_CONVERGED_GRTOL:
    return ULS_CONVERGED_GRTOL;
  case TAO_CONVERGED_GTTOL:
    return ULS_CONVERGED_GTTOL;
  case TAO_CONVERGED_STEPTOL:
    return ULS_CONVERGED_STEPTOL;
  case TAO_CONVERGED_MINF:
    return ULS_CONVERGED_MINF;
  case TAO_DIVERGED_MAXITS:
    return ULS_CONVERGED_ITS;
  case TAO_DIVERGED_NAN:
    return ULS_DIVERGED_NANORINF;
  case TAO_DIVERGED_MAXFCN:
    return ULS_DIVERGED_MAXFCN;
  case TAO_DIVERGED_TR_REDUCTION:
    return ULS_DIVERGED_TRUST_REGION;
  case TAO_CONVERGED_USER: /* a convergence test that the user gave Tao */
  case TAO_DIVERGED_USER:
    return ULS_STOPPED;
  default: /* some types leave their loop without a reason when the line search fails */
    return ULS_DIVERGED_LINE_SEARCH;
  }
}

/* Back from the trials of a failed search to the accepted point: f and g are known there, w is not. */
static PetscErrorCode Return(ULS uls)
{
  ULSTao *t = (ULSTao *)uls->data;
  PetscBool same = PETSC_FALSE;
  PetscReal f;

  PetscFunctionBegin;
  if (t->has_at) PetscCall(VecEqual(t->accepted, t->at, &same));
  if (same || uls->reason == ULS_STOPPED) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(ULSEvaluateObjective_Private(uls, t->accepted, &f));
  uls->f = t->f;
  PetscCall(VecCopy(t->g, uls->g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The points after the first, from it on. */
static PetscErrorCode Run(ULS uls)
{
  ULSTao *t = (ULSTao *)uls->data;
  TaoConvergedReason reason;

  PetscFunctionBegin;
  PetscCall(VecCopy(t->accepted, t->at));
  t->has_at = PETSC_TRUE;
  t->failed = PETSC_FALSE;
  PetscCall(VecCopy(t->accepted, t->x));
  PetscCall(TaoSetMaximumIterations(t->tao, uls->max_it - uls->it));
  PetscCall(TaoSetConvergenceTest(t->tao, Test, uls));
  PetscCall(TaoSolve(t->tao));
  PetscCall(TaoGetConvergedReason(t->tao, &reason));
  if (!uls->reason) uls->reason = Translate(reason);
  PetscCall(Return(uls));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSSolve_Tao(ULS uls, Vec lambda)
{
  ULSTao *t = (ULSTao *)uls->data;
  PetscBool usable_point;

  PetscFunctionBegin;
  if (uls->it >= uls->max_it) {
    PetscCall(ULSComputeLast_Private(uls, lambda));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  /* Tao takes a first point that failed as an error, so it is not shown one */
  PetscCall(ULSComputePoint_Private(uls, lambda, &usable_point));
  if (!usable_point) PetscFunctionReturn(PETSC_SUCCESS);
  t->accepted = lambda;
  PetscCall(Accept(uls, lambda));
  PetscCall(Run(uls));
  t->accepted = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ settings */

static PetscErrorCode SetTaoType(ULS uls, const char type[])
{
  ULSTao *t = (ULSTao *)uls->data;
  PetscBool owlqn;

  PetscFunctionBegin;
  PetscCall(CheckType(uls, type));
  PetscCall(PetscStrcmp(type, TAOOWLQN, &owlqn));
  if (owlqn) PetscCall(CheckOWLQN(uls));
  PetscCall(TaoSetType(t->tao, type));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Where nobody named a type: the one that fits the set Lambda. */
static PetscErrorCode SetDefaultType(ULS uls)
{
  ULSTao *t = (ULSTao *)uls->data;
  PetscBool unconstrained = PETSC_TRUE;
  LSETType set;

  PetscFunctionBegin;
  PetscCall(LSETGetType(uls->lset, &set));
  if (set) PetscCall(PetscStrcmp(set, LSETFREE, &unconstrained));
  PetscCall(SetTaoType(uls, unconstrained ? TAOLMVM : TAOBLMVM));
  t->defaulted = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The option -uls_tao_type, else the type that is set, else the one by default. */
static PetscErrorCode ChooseType(ULS uls)
{
  ULSTao *t = (ULSTao *)uls->data;
  PetscObject tao = (PetscObject)t->tao;
  char type[64];
  PetscBool set;

  PetscFunctionBegin;
  PetscCall(PetscOptionsGetString(tao->options, tao->prefix, "-tao_type", type, sizeof(type), &set));
  if (set) {
    t->defaulted = PETSC_FALSE;
    PetscCall(SetTaoType(uls, type));
  } else if (tao->type_name && !t->defaulted) {
    PetscCall(SetTaoType(uls, tao->type_name));
  } else {
    PetscCall(SetDefaultType(uls));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Configure(ULS uls)
{
  ULSTao *t = (ULSTao *)uls->data;
  PetscObject tao = (PetscObject)t->tao;
  PetscBool set;

  PetscFunctionBegin;
  PetscCall(TwofoldChildPrefix(tao, (PetscObject)uls, "uls_"));
  PetscCall(ChooseType(uls));
  PetscCall(PetscOptionsHasName(tao->options, tao->prefix, "-tao_max_it", &set));
  PetscCheck(!set, PetscObjectComm((PetscObject)uls), PETSC_ERR_ARG_INCOMP,
             "-uls_tao_max_it: the number of Tao's iterations is -uls_max_it");
  /* types have limits of their own; the user has -uls_max_it */
  PetscCall(TaoSetMaximumFunctionEvaluations(t->tao, PETSC_MAX_INT));
  PetscCall(TaoSetFromOptions(t->tao));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSSetFromOptions_Tao(ULS uls, PetscOptionItems *PetscOptionsObject)
{
  PetscFunctionBegin;
  (void)PetscOptionsObject;
  PetscCall(Configure(uls));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Reset(ULS uls)
{
  ULSTao *t = (ULSTao *)uls->data;

  PetscFunctionBegin;
  PetscCall(VecDestroy(&t->x));
  PetscCall(VecDestroy(&t->at));
  PetscCall(VecDestroy(&t->g));
  t->has_at = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A Tao keeps the layout it was set up for, so that another space needs another one of its kind. */
static PetscErrorCode Renew(ULS uls)
{
  ULSTao *t = (ULSTao *)uls->data;
  char type[64];

  PetscFunctionBegin;
  PetscCall(PetscStrncpy(type, ((PetscObject)t->tao)->type_name, sizeof(type)));
  PetscCall(TaoDestroy(&t->tao));
  PetscCall(TaoCreate(PetscObjectComm((PetscObject)uls), &t->tao));
  PetscCall(TwofoldChildPrefix((PetscObject)t->tao, (PetscObject)uls, "uls_"));
  if (!t->defaulted) PetscCall(TaoSetType(t->tao, type));
  PetscCall(Configure(uls));
  PetscCall(Reset(uls));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SetBounds(ULS uls)
{
  Vec lower, upper;
  PetscBool box;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(uls->g, &lower));
  PetscCall(VecDuplicate(uls->g, &upper));
  PetscCall(LSETGetBounds(uls->lset, lower, upper, &box));
  PetscCall(TaoSetVariableBounds(((ULSTao *)uls->data)->tao, lower, upper));
  PetscCall(VecDestroy(&lower));
  PetscCall(VecDestroy(&upper));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSSetUp_Tao(ULS uls)
{
  ULSTao *t = (ULSTao *)uls->data;
  TaoType now;

  PetscFunctionBegin;
  if (t->x) PetscCall(Renew(uls));
  PetscCall(TaoGetType(t->tao, &now));
  if (!now || t->defaulted) { /* no ULSSetFromOptions(), or the set Lambda is of another type since */
    PetscCall(Configure(uls));
    PetscCall(TaoGetType(t->tao, &now));
  }
  PetscCall(CheckType(uls, now)); /* it may have been set through ULSGetTao() */
  PetscCall(CheckSet(uls, now));
  if (uls->constrained) PetscCall(SetBounds(uls));
  PetscCall(VecDuplicate(uls->g, &t->x));
  PetscCall(VecDuplicate(uls->g, &t->at));
  PetscCall(VecDuplicate(uls->g, &t->g));
  PetscCall(VecZeroEntries(t->x));
  PetscCall(TaoSetSolution(t->tao, t->x));
  PetscCall(TaoSetObjectiveAndGradient(t->tao, NULL, ObjectiveAndGradient, uls));
  if (!usable[FindUsable(now)].gradient) PetscCall(TaoSetObjective(t->tao, Objective, uls));
  PetscCall(TaoSetUp(t->tao));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ view, life cycle */

static PetscErrorCode ULSView_Tao(ULS uls, PetscViewer viewer)
{
  TaoType type;

  PetscFunctionBegin;
  PetscCall(TaoGetType(((ULSTao *)uls->data)->tao, &type));
  PetscCall(
      PetscViewerASCIIPrintf(viewer, "Tao type %s (-uls_tao_view tells more)\n", type ? type : "not set"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSGetMemory_Tao(ULS uls, PetscLogDouble *bytes)
{
  PetscInt nlocal;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(uls->g, &nlocal));
  /* the iterate, the last point, the accepted g; of the quasi-Newton types five pairs of differences and
   * about ten work vectors */
  *bytes += (PetscLogDouble)nlocal * sizeof(PetscScalar) * 23;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSDestroy_Tao(ULS uls)
{
  ULSTao *t = (ULSTao *)uls->data;

  PetscFunctionBegin;
  PetscCall(Reset(uls));
  PetscCall(TaoDestroy(&t->tao));
  PetscCall(PetscFree(uls->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSCreate_Tao(ULS uls)
{
  ULSTao *t;

  PetscFunctionBegin;
  PetscCall(PetscNew(&t));
  uls->data = t;
  PetscCall(TaoCreate(PetscObjectComm((PetscObject)uls), &t->tao));
  uls->ops->setfromoptions = ULSSetFromOptions_Tao;
  uls->ops->setup = ULSSetUp_Tao;
  uls->ops->solve = ULSSolve_Tao;
  uls->ops->view = ULSView_Tao;
  uls->ops->memory = ULSGetMemory_Tao;
  uls->ops->destroy = ULSDestroy_Tao;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSGetTao(ULS uls, Tao *tao)
{
  PetscBool is_tao;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)uls, ULSTAO, &is_tao));
  PetscCheck(is_tao, PetscObjectComm((PetscObject)uls), PETSC_ERR_ARG_WRONG,
             "the upper-level solver is of type %s, which has no Tao: -uls_type tao",
             ((PetscObject)uls)->type_name ? ((PetscObject)uls)->type_name : "not set");
  *tao = ((ULSTao *)uls->data)->tao;
  PetscFunctionReturn(PETSC_SUCCESS);
}
