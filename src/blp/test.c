/* Test of all derivatives of a problem at a point. Each is compared with the function it is the derivative of
   by the order of the Taylor remainder along a random direction; a product transposed also by itself, through
   <F(x + h d), z>, so that of a product and its transpose the wrong one is named. */
#include <twofold/impl/blpimpl.h>

typedef struct {
  BLP blp;
  Vec x[2];            /* the point: w, lambda */
  Vec d[2];            /* direction in w, in lambda */
  Vec at[2];           /* point at a distance */
  Vec z;               /* in w's space: what transposed products act on */
  Vec y0, y, Fd;       /* F(x), F(x + h d), F'(x) d */
  Vec work, glambda;   /* in w's and lambda's space */
  PetscReal s0, s, sd; /* the same where F is a number */
} Test;

enum { W, LAMBDA };
typedef enum { NUMBER, VECTOR, DOTTED } Kind; /* DOTTED: <F, z> for a vector F */

/* F at (lambda, w): t->s or y. */
typedef PetscErrorCode (*Value)(Test *t, Vec lambda, Vec w, Vec y);
/* F'(x) d: t->sd or t->Fd. */
typedef PetscErrorCode (*Derivative)(Test *t);

typedef struct {
  const char *name, *of; /* what is tested, the function it is the derivative of */
  Kind kind;
  int variable; /* W or LAMBDA */
  Value value;
  Derivative derivative;
  PetscBool there; /* whether the problem has it */
} Check;

typedef struct {
  const char *name, *what;
  TwofoldTaylor taylor;
  PetscReal error;
  PetscBool pair; /* product against its transpose: no order */
  PetscBool passed, skipped, kink;
  const char *infinite; /* what is not finite */
} Result;

/* ------------------------------------------------------------------ functions and derivatives */

/* The same number on all ranks: branches follow it. */
static PetscErrorCode AgreeOnNumber(Test *t, const char name[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)t->blp);
  const PetscBool finite = (PetscBool)!PetscIsInfOrNanReal(t->s);
  PetscReal high[3] = {t->s, -t->s, finite ? 0 : 1};

  PetscFunctionBegin;
  if (!finite) high[0] = high[1] = -PETSC_MAX_REAL;
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, high, 3, MPIU_REAL, MPIU_MAX, comm));
  PetscCheck(
      high[2] > 0 || high[0] + high[1] <= 1e-9 * PetscMax(PetscAbsReal(high[0]), PetscAbsReal(high[1])), comm,
      PETSC_ERR_USER,
      "test of derivatives: the %s problem's %s is not the same on all ranks (%g to %g): sum it over them",
      ((PetscObject)t->blp)->type_name, name, (double)-high[1], (double)high[0]);
  t->s = high[2] > 0 ? (PetscReal)NAN : high[0];
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Upper(Test *t, Vec lambda, Vec w, Vec y)
{
  PetscFunctionBegin;
  (void)y;
  PetscCall(BLPUpper(t->blp, lambda, w, &t->s, NULL, NULL));
  PetscCall(AgreeOnNumber(t, "E"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Loss(Test *t, Vec lambda, Vec w, Vec y)
{
  PetscFunctionBegin;
  PetscCall(BLPLossGradient(t->blp, lambda, w, &t->s, y));
  PetscCall(AgreeOnNumber(t, "l"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Gradient(Test *t, Vec lambda, Vec w, Vec y)
{
  PetscFunctionBegin;
  PetscCall(BLPLossGradient(t->blp, lambda, w, NULL, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Map(Test *t, Vec lambda, Vec w, Vec y)
{
  PetscFunctionBegin;
  PetscCall(BLPMapApply(t->blp, lambda, w, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode UpperGradientW(Test *t)
{
  PetscReal E;

  PetscFunctionBegin;
  PetscCall(BLPUpper(t->blp, t->x[LAMBDA], t->x[W], &E, t->work, NULL));
  PetscCall(VecDot(t->work, t->d[W], &t->sd));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode UpperGradientLambda(Test *t)
{
  PetscReal E;

  PetscFunctionBegin;
  PetscCall(BLPUpper(t->blp, t->x[LAMBDA], t->x[W], &E, t->work, t->glambda));
  PetscCall(VecDot(t->glambda, t->d[LAMBDA], &t->sd));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LossGradient(Test *t)
{
  PetscFunctionBegin;
  PetscCall(BLPLossGradient(t->blp, t->x[LAMBDA], t->x[W], NULL, t->work));
  PetscCall(VecDot(t->work, t->d[W], &t->sd));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Hessian(Test *t)
{
  PetscFunctionBegin;
  PetscCall(BLPLossLinearize(t->blp, t->x[LAMBDA], t->x[W]));
  PetscCall(BLPLossHessianMult(t->blp, t->d[W], t->Fd));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Cross(Test *t)
{
  PetscFunctionBegin;
  PetscCall(BLPLossLinearize(t->blp, t->x[LAMBDA], t->x[W]));
  PetscCall(BLPLossCrossMult(t->blp, t->d[LAMBDA], t->Fd));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CrossTranspose(Test *t)
{
  PetscFunctionBegin;
  PetscCall(BLPLossLinearize(t->blp, t->x[LAMBDA], t->x[W]));
  PetscCall(BLPLossCrossMultTranspose(t->blp, t->z, t->glambda));
  PetscCall(VecDot(t->glambda, t->d[LAMBDA], &t->sd));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode JVP(Test *t)
{
  PetscFunctionBegin;
  PetscCall(BLPMapLinearize(t->blp, t->x[LAMBDA], t->x[W]));
  PetscCall(BLPMapJVP(t->blp, t->d[W], t->Fd));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode VJP(Test *t)
{
  PetscFunctionBegin;
  PetscCall(BLPMapLinearize(t->blp, t->x[LAMBDA], t->x[W]));
  PetscCall(BLPMapVJP(t->blp, t->z, t->work));
  PetscCall(VecDot(t->work, t->d[W], &t->sd));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ParameterJVP(Test *t)
{
  PetscFunctionBegin;
  PetscCall(BLPMapLinearize(t->blp, t->x[LAMBDA], t->x[W]));
  PetscCall(BLPMapParameterJVP(t->blp, t->d[LAMBDA], t->Fd));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ParameterVJP(Test *t)
{
  PetscFunctionBegin;
  PetscCall(BLPMapLinearize(t->blp, t->x[LAMBDA], t->x[W]));
  PetscCall(BLPMapParameterVJP(t->blp, t->z, t->glambda));
  PetscCall(VecDot(t->glambda, t->d[LAMBDA], &t->sd));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ Taylor remainders */

/* F at distance h: t->s, or t->y. */
static PetscErrorCode Evaluate(Test *t, const Check *c, PetscReal h)
{
  PetscFunctionBegin;
  PetscCall(VecCopy(t->x[W], t->at[W]));
  PetscCall(VecCopy(t->x[LAMBDA], t->at[LAMBDA]));
  if (h != 0) PetscCall(VecAXPY(t->at[c->variable], h, t->d[c->variable]));
  PetscCall((*c->value)(t, t->at[LAMBDA], t->at[W], t->y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ||F(x + h d) - F(x)||, and with h F'(x) d taken off. */
static PetscErrorCode Remainder(Test *t, const Check *c, PetscReal h, PetscReal *change, PetscReal *remainder)
{
  PetscScalar dot;

  PetscFunctionBegin;
  PetscCall(Evaluate(t, c, h));
  if (c->kind == VECTOR) {
    PetscCall(VecAXPY(t->y, -1, t->y0));
    PetscCall(VecNorm(t->y, NORM_2, change));
    PetscCall(VecAXPY(t->y, -h, t->Fd));
    PetscCall(VecNorm(t->y, NORM_2, remainder));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  dot = t->s - t->s0;
  if (c->kind == DOTTED) {
    PetscCall(VecAXPY(t->y, -1, t->y0));
    PetscCall(VecDot(t->y, t->z, &dot));
  }
  *change = PetscAbsReal(dot);
  *remainder = PetscAbsReal(dot - h * t->sd);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* F(x) and F'(x) d with their sizes; what is not finite is named. */
static PetscErrorCode Base(Test *t, const Check *c, Result *r)
{
  PetscReal size;

  PetscFunctionBegin;
  PetscCall(Evaluate(t, c, 0));
  t->s0 = t->s;
  size = PetscAbsReal(t->s0);
  if (c->kind != NUMBER) {
    PetscCall(VecCopy(t->y, t->y0));
    PetscCall(VecNorm(t->y0, NORM_2, &size));
  }
  PetscCall((*c->derivative)(t));
  r->taylor.slope = PetscAbsReal(t->sd);
  if (c->kind == VECTOR) PetscCall(VecNorm(t->Fd, NORM_2, &r->taylor.slope));
  if (PetscIsInfOrNanReal(size))
    r->infinite = c->of;
  else if (PetscIsInfOrNanReal(r->taylor.slope))
    r->infinite = c->name;
  r->taylor.noise = 2 * PETSC_MACHINE_EPSILON * PetscMax(size, r->taylor.slope);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What rounding makes of a remainder, seen at steps so small that nothing else is left. */
static PetscErrorCode MeasureNoise(Test *t, const Check *c, TwofoldTaylor *taylor)
{
  const PetscReal h[] = {1e-13, 3e-13};
  PetscReal change, remainder;

  PetscFunctionBegin;
  for (int i = 0; i < 2; i++) {
    PetscCall(Remainder(t, c, h[i], &change, &remainder));
    if (!PetscIsInfOrNanReal(remainder)) taylor->noise = PetscMax(taylor->noise, 2 * remainder);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ||F(x + h d) - 2 F(x) + F(x - h d)||, which no derivative enters. */
static PetscErrorCode SecondDifference(Test *t, const Check *c, PetscReal h, PetscReal *size)
{
  PetscReal s;

  PetscFunctionBegin;
  PetscCall(Evaluate(t, c, h));
  s = t->s;
  if (c->kind != NUMBER) PetscCall(VecWAXPY(t->Fd, -2, t->y0, t->y));
  PetscCall(Evaluate(t, c, -h));
  *size = PetscAbsReal(s - 2 * t->s0 + t->s);
  if (c->kind != NUMBER) {
    PetscCall(VecAXPY(t->Fd, 1, t->y));
    PetscCall(VecNorm(t->Fd, NORM_2, size));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whether F itself, not its derivative, makes the order 1. */
static PetscErrorCode HasKink(Test *t, const Check *c, const TwofoldTaylor *taylor, PetscBool *kink)
{
  PetscReal coarse, fine;

  PetscFunctionBegin;
  *kink = PETSC_FALSE;
  if (taylor->readable < 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(SecondDifference(t, c, TwofoldTaylorStep(taylor->readable - 1), &coarse));
  PetscCall(SecondDifference(t, c, TwofoldTaylorStep(taylor->readable), &fine));
  *kink = (PetscBool)(fine > 10 * taylor->noise && fine > coarse / 22); /* order below 1.5 */
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunCheck(Test *t, const Check *c, Result *r)
{
  PetscFunctionBegin;
  *r = (Result){.name = c->name, .what = c->of, .taylor.n = TWOFOLD_TAYLOR_STEPS};
  PetscCall(Base(t, c, r));
  if (c->value == Loss && t->blp->no_value) {
    r->skipped = PETSC_TRUE;
    r->infinite = NULL;
  }
  if (r->skipped || r->infinite) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt k = 0; k < TWOFOLD_TAYLOR_STEPS; k++)
    PetscCall(Remainder(t, c, TwofoldTaylorStep(k), &r->taylor.change[k], &r->taylor.remainder[k]));
  PetscCall(MeasureNoise(t, c, &r->taylor));
  TwofoldTaylorFit(&r->taylor);
  r->error = r->taylor.error;
  r->passed = TwofoldTaylorPasses(&r->taylor);
  if (PetscIsNanReal(r->taylor.order)) r->infinite = c->of;
  if (!r->passed && !r->infinite) PetscCall(HasKink(t, c, &r->taylor, &r->kink));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ products against their transposes */

typedef PetscErrorCode (*Product)(BLP, Vec, Vec);

/* <A d, z> = <d, A^T z> */
static PetscErrorCode RunPair(Test *t, const char name[], const char what[], int variable, Product A,
                              Product At, Result *r)
{
  const Vec image = variable == W ? t->work : t->glambda;
  PetscScalar left, right;
  PetscReal a, b;

  PetscFunctionBegin;
  *r = (Result){.name = name, .what = what, .pair = PETSC_TRUE};
  PetscCall((*A)(t->blp, t->d[variable], t->Fd));
  PetscCall((*At)(t->blp, t->z, image));
  PetscCall(VecDot(t->Fd, t->z, &left));
  PetscCall(VecDot(image, t->d[variable], &right));
  PetscCall(VecNorm(t->Fd, NORM_2, &a));
  PetscCall(VecNorm(t->z, NORM_2, &b));
  r->error = PetscAbsReal(left - right);
  if (a * b > 0) r->error /= a * b;
  r->passed = (PetscBool)(r->error <= 1e-9); /* false for NaN */
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunLossPairs(Test *t, Result results[], PetscInt *n)
{
  const struct _BLPOps *ops = t->blp->ops;

  PetscFunctionBegin;
  if (!ops->lossgradient) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(BLPLossLinearize(t->blp, t->x[LAMBDA], t->x[W]));
  if (ops->losshessian)
    PetscCall(RunPair(t, "symmetry of the Hessian product", "<H v, z> = <v, H z>", W, BLPLossHessianMult,
                      BLPLossHessianMult, &results[(*n)++]));
  if (ops->losscross && ops->losscrosstranspose)
    PetscCall(RunPair(t, "pair of cross products", "<C u, z> = <u, C^T z>", LAMBDA, BLPLossCrossMult,
                      BLPLossCrossMultTranspose, &results[(*n)++]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunMapPairs(Test *t, Result results[], PetscInt *n)
{
  const struct _BLPOps *ops = t->blp->ops;

  PetscFunctionBegin;
  if (!ops->mapapply) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(BLPMapLinearize(t->blp, t->x[LAMBDA], t->x[W]));
  if (t->blp->map_symmetric && ops->mapjvp)
    PetscCall(RunPair(t, "symmetry of the map's jvp", "<d1Phi v, z> = <v, d1Phi z>", W, BLPMapJVP, BLPMapJVP,
                      &results[(*n)++]));
  if (ops->mapjvp && ops->mapvjp)
    PetscCall(RunPair(t, "pair of the map's jvp and vjp", "<d1Phi v, z> = <v, d1Phi^T z>", W, BLPMapJVP,
                      BLPMapVJP, &results[(*n)++]));
  if (ops->mapparameterjvp && ops->mapparametervjp)
    PetscCall(RunPair(t, "pair of the map's parameter jvp and vjp", "<d2Phi u, z> = <u, d2Phi^T z>", LAMBDA,
                      BLPMapParameterJVP, BLPMapParameterVJP, &results[(*n)++]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the point and the directions */

static PetscErrorCode TestCreate(BLP blp, Vec lambda, Vec w, Test *t)
{
  Vec *const in_w[] = {&t->d[W], &t->at[W], &t->z, &t->y0, &t->y, &t->Fd, &t->work};
  Vec *const in_lambda[] = {&t->d[LAMBDA], &t->at[LAMBDA], &t->glambda};

  PetscFunctionBegin;
  *t = (Test){.blp = blp};
  for (size_t i = 0; i < sizeof(in_w) / sizeof(in_w[0]); i++) PetscCall(BLPCreateVecs(blp, NULL, in_w[i]));
  for (size_t i = 0; i < sizeof(in_lambda) / sizeof(in_lambda[0]); i++)
    PetscCall(BLPCreateVecs(blp, in_lambda[i], NULL));
  t->x[W] = w;
  t->x[LAMBDA] = lambda;
  PetscCall(BLPSetDirection_Private(w, NULL, 101, t->d[W]));
  PetscCall(BLPSetDirection_Private(lambda, blp->bounds, 102, t->d[LAMBDA]));
  PetscCall(TwofoldVecSetRandomNormal(t->z, 103));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestDestroy(Test *t)
{
  Vec *const vecs[] = {&t->d[W], &t->at[W], &t->z,         &t->y0,         &t->y,
                       &t->Fd,   &t->work,  &t->d[LAMBDA], &t->at[LAMBDA], &t->glambda};

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(vecs) / sizeof(vecs[0]); i++) PetscCall(VecDestroy(vecs[i]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ report */

static PetscErrorCode PrintResult(const Result *r, PetscViewer viewer)
{
  char order[32] = "";

  PetscFunctionBegin;
  if (r->skipped) {
    PetscCall(PetscViewerASCIIPrintf(viewer, "%-40s %-30s the problem gives no value: not checked\n", r->name,
                                     r->what));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (r->infinite) {
    PetscCall(PetscViewerASCIIPrintf(viewer, "%-40s %-30s %s is not finite: FAIL\n", r->name, r->what,
                                     r->infinite));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (!r->pair && PetscIsInfReal(r->taylor.order))
    PetscCall(PetscStrncpy(order, "exact", sizeof(order)));
  else if (!r->pair)
    PetscCall(PetscSNPrintf(order, sizeof(order), "%.2f", (double)r->taylor.order));
  PetscCall(PetscViewerASCIIPrintf(viewer, "%-40s %-30s %5s  %8.1e  %s\n", r->name, r->what, order,
                                   (double)r->error, r->passed ? "pass" : "FAIL"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Print(BLP blp, const Result results[], PetscInt n, PetscViewer viewer)
{
  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(
      viewer, "Derivatives of the %s problem: order of Taylor remainders (2 where right)\n",
      ((PetscObject)blp)->type_name));
  PetscCall(PetscViewerASCIIPushTab(viewer));
  PetscCall(
      PetscViewerASCIIPrintf(viewer, "%-40s %-30s %5s  %8s\n", "derivative", "checked by", "order", "error"));
  for (PetscInt i = 0; i < n; i++) PetscCall(PrintResult(&results[i], viewer));
  PetscCall(PetscViewerASCIIPopTab(viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* An error for the first failure: those behind it may follow from it. */
static PetscErrorCode Raise(BLP blp, const Result results[], PetscInt n)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  const char *const type = ((PetscObject)blp)->type_name;
  const Result *r = NULL;
  PetscInt more = -1;
  char others[96] = "";
  PetscBool unchecked = PETSC_FALSE;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i++) {
    unchecked = (PetscBool)(unchecked || results[i].skipped);
    if (results[i].passed || results[i].skipped) continue;
    if (!r) r = &results[i];
    more++;
  }
  if (!r) PetscFunctionReturn(PETSC_SUCCESS);
  if (more)
    PetscCall(PetscSNPrintf(others, sizeof(others), "; %" PetscInt_FMT " more fail, perhaps by it", more));
  PetscCheck(!r->infinite, comm, PETSC_ERR_USER,
             "test of derivatives: the %s problem's %s is not finite at the point of the test%s", type,
             r->infinite, others);
  PetscCheck(
      !r->kink, comm, PETSC_ERR_USER,
      "test of derivatives: the %s problem's %s, as a function of %s, has a kink at the point of the test: "
      "%s cannot be right there (order %.2f instead of 2)%s",
      type, r->what, strstr(r->what, "lambda + ") ? "lambda" : "w", r->name, (double)r->taylor.order, others);
  PetscCheck(!r->pair, comm, PETSC_ERR_USER,
             "test of derivatives: the %s problem's %s is broken: %s fails by %.1e relative to the norms%s",
             type, r->name, r->what, (double)r->error, others);
  SETERRQ(
      comm, PETSC_ERR_USER,
      "test of derivatives: the %s problem's %s is wrong: the remainder of %s has order %.2f instead of 2, "
      "relative error %.1e%s%s",
      type, r->name, r->what, (double)r->taylor.order, (double)r->error, others,
      unchecked ? "; grad_w l itself was not checked, since the problem gives no l" : "");
}

PetscErrorCode BLPTestDerivatives(BLP blp, Vec lambda, Vec w, PetscViewer viewer)
{
  const struct _BLPOps *const ops = blp->ops;
  Result results[16];
  PetscInt n = 0;
  Test t;

  PetscFunctionBegin;
  PetscCall(BLPSetUp(blp));
#define HAS(op) (ops->op ? PETSC_TRUE : PETSC_FALSE)
  const Check checks[] = {
      {"grad1 E", "E(w + h v, lambda)", NUMBER, W, Upper, UpperGradientW, HAS(upper)},
      {"grad2 E", "E(w, lambda + h u)", NUMBER, LAMBDA, Upper, UpperGradientLambda, HAS(upper)},
      {"gradient of the loss", "l(w + h v, lambda)", NUMBER, W, Loss, LossGradient, HAS(lossgradient)},
      {"Hessian product", "grad_w l(w + h v, lambda)", VECTOR, W, Gradient, Hessian, HAS(losshessian)},
      {"cross product", "grad_w l(w, lambda + h u)", VECTOR, LAMBDA, Gradient, Cross, HAS(losscross)},
      {"cross product transposed", "<grad_w l(w, lambda + h u), z>", DOTTED, LAMBDA, Gradient, CrossTranspose,
       HAS(losscrosstranspose)},
      {"map's jvp", "Phi(w + h v, lambda)", VECTOR, W, Map, JVP, HAS(mapjvp)},
      {"map's vjp", "<Phi(w + h v, lambda), z>", DOTTED, W, Map, VJP, HAS(mapvjp)},
      {"map's parameter jvp", "Phi(w, lambda + h u)", VECTOR, LAMBDA, Map, ParameterJVP,
       HAS(mapparameterjvp)},
      {"map's parameter vjp", "<Phi(w, lambda + h u), z>", DOTTED, LAMBDA, Map, ParameterVJP,
       HAS(mapparametervjp)}};
#undef HAS
  PetscCall(TestCreate(blp, lambda, w, &t));
  for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
    if (checks[i].there) PetscCall(RunCheck(&t, &checks[i], &results[n++]));
  PetscCall(RunLossPairs(&t, results, &n));
  PetscCall(RunMapPairs(&t, results, &n));
  PetscCall(TestDestroy(&t));
  if (viewer) PetscCall(Print(blp, results, n, viewer));
  PetscCall(Raise(blp, results, n));
  PetscFunctionReturn(PETSC_SUCCESS);
}
