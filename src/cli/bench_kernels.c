/* The steps that twofold bench times. */
#include "bench.h"

static const FPMType maps[] = {FPMGD, FPMHEAVYBALL, FPMNESTEROV};
enum { GD, HEAVYBALL, NESTEROV, MAPS };

/* ------------------------------------------------------------------ steps

   Solvers make them one after another, and a step knows the product X w of what the one before has written.
   So each is timed behind another of its kind. */

static PetscErrorCode Steps(BenchSide *s, int map)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < s->lower_steps; k++) PetscCall(FPMStep(s->fpm[map], s->lambda, s->x[map], NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StepGD(BenchSide *s)
{
  return Steps(s, GD);
}

static PetscErrorCode StepHeavyBall(BenchSide *s)
{
  return Steps(s, HEAVYBALL);
}

static PetscErrorCode StepNesterov(BenchSide *s)
{
  return Steps(s, NESTEROV);
}

static PetscErrorCode Hessian(BenchSide *s)
{
  return BLPLossHessianMult(s->blp, s->v, s->y);
}

static PetscErrorCode MatMult_Hessian(Mat A, Vec x, Vec y)
{
  BenchSide *s;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(A, &s));
  PetscCall(BLPLossHessianMult(s->blp, x, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BeginCG(BenchSide *s)
{
  PetscBool sweeps;

  PetscFunctionBegin;
  PetscCall(BLPPrefersSweep(s->blp, &sweeps));
  PetscCall(VecZeroEntries(s->solution));
  PetscCall(VecCopy(s->v, s->residual));
  if (sweeps) PetscCall(BLPLossSweepCGBegin(s->blp, 1, s->residual, s->direction, &s->cg));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* As aid has it: by sweeps, else PETSc's cg, which looks at the residual's norm in each step. */
static PetscErrorCode StepsCG(BenchSide *s)
{
  PetscBool sweeps;

  PetscFunctionBegin;
  PetscCall(BLPPrefersSweep(s->blp, &sweeps));
  if (!sweeps) PetscCall(KSPSolve(s->ksp, s->residual, s->solution));
  for (PetscInt k = 0; sweeps && k < s->steps; k++)
    PetscCall(BLPLossSweepCGStep(s->blp, s->solution, s->residual, s->direction, &s->cg));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One step of itd's reverse sweep. */
static PetscErrorCode Reverse(BenchSide *s, int map)
{
  const State swap = s->a[map];
  PetscBool once;

  PetscFunctionBegin;
  PetscCall(FPMCanReverse(s->fpm[map], &once));
  if (once) {
    PetscCall(FPMReverseStep(s->fpm[map], s->lambda, s->x[map], s->a[map], s->g));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(FPMLinearize(s->fpm[map], s->lambda, s->x[map]));
  PetscCall(FPMParameterVJPAdd(s->fpm[map], s->a[map], s->g));
  PetscCall(FPMVJP(s->fpm[map], s->a[map], s->b[map]));
  s->a[map] = s->b[map];
  s->b[map] = swap;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The tape brings another iterate for each step: nothing may be known of this one. */
static PetscErrorCode AfterReverse(BenchSide *s, int map)
{
  PetscFunctionBegin;
  PetscCall(Reverse(s, map));
  PetscCall(PetscObjectStateIncrease((PetscObject)s->x[map]->v[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AfterReverseGD(BenchSide *s)
{
  return AfterReverse(s, GD);
}

static PetscErrorCode AfterReverseHeavyBall(BenchSide *s)
{
  return AfterReverse(s, HEAVYBALL);
}

static PetscErrorCode ReverseGD(BenchSide *s)
{
  return Reverse(s, GD);
}

static PetscErrorCode ReverseHeavyBall(BenchSide *s)
{
  return Reverse(s, HEAVYBALL);
}

static PetscErrorCode Upper(BenchSide *s)
{
  PetscReal E;

  return BLPUpper(s->blp, s->lambda, s->w, &E, s->y, NULL);
}

static PetscErrorCode Evaluate(BenchSide *s)
{
  BLPMetrics metrics;

  return BLPEvaluate(s->blp, BLP_VAL, s->lambda, s->w, &metrics);
}

const BenchKernel BenchKernels[BENCH_KERNELS] = {
    {"lower step, gd", "step_gd", StepGD, StepGD, 16, 12, 2, PETSC_FALSE, BENCH_LOWER_STEPS},
    {"lower step, heavyball", "step_heavyball", StepHeavyBall, StepHeavyBall, 24, 12, 2, PETSC_FALSE,
     BENCH_LOWER_STEPS},
    {"lower step, nesterov", "step_nesterov", StepNesterov, StepNesterov, 24, 12, 2, PETSC_FALSE,
     BENCH_LOWER_STEPS},
    {"Hessian-vector product", "hessian", NULL, Hessian, 16, 24, 2, PETSC_FALSE, BENCH_ONE},
    {"CG step", "step_cg", BeginCG, StepsCG, 48, 12, 2, PETSC_FALSE, BENCH_CG_STEPS},
    {"itd reverse step, gd", "reverse_gd", AfterReverseGD, ReverseGD, 24, 24, 3, PETSC_FALSE, BENCH_ONE},
    {"itd reverse step, heavyball", "reverse_heavyball", AfterReverseHeavyBall, ReverseHeavyBall, 32, 24, 3,
     PETSC_FALSE, BENCH_ONE},
    {"E and grad1 E", "upper", NULL, Upper, 16, 24, 2, PETSC_TRUE, BENCH_ONE},
    {"loss and accuracy", "evaluate", NULL, Evaluate, 8, 12, 1, PETSC_TRUE, BENCH_ONE},
};

/* ------------------------------------------------------------------ life cycle */

/* A map with small steps, which stays where it is. */
static PetscErrorCode CreateMap(BenchSide *s, int map)
{
  PetscFunctionBegin;
  PetscCall(FPMCreate(PetscObjectComm((PetscObject)s->blp), &s->fpm[map]));
  PetscCall(FPMSetType(s->fpm[map], maps[map]));
  PetscCall(FPMSetBLP(s->fpm[map], s->blp));
  PetscCall(FPMSetStep(s->fpm[map], 1e-6));
  if (map != GD) PetscCall(FPMSetMomentum(s->fpm[map], 0.5));
  PetscCall(FPMCreateState(s->fpm[map], &s->x[map]));
  PetscCall(FPMCreateState(s->fpm[map], &s->a[map]));
  PetscCall(FPMCreateState(s->fpm[map], &s->b[map]));
  for (PetscInt i = 0; i < s->x[map]->n; i++) {
    PetscCall(TwofoldVecSetRandomNormal(s->x[map]->v[i], 1));
    PetscCall(TwofoldVecSetRandomNormal(s->a[map]->v[i], 2));
  }
  PetscCall(FPMLinearize(s->fpm[map], s->lambda, s->x[map])); /* where its first reverse step begins */
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CreateKSP(BenchSide *s)
{
  PetscInt n, nlocal;
  PC pc;

  PetscFunctionBegin;
  PetscCall(VecGetSize(s->w, &n));
  PetscCall(VecGetLocalSize(s->w, &nlocal));
  PetscCall(MatCreateShell(PetscObjectComm((PetscObject)s->blp), nlocal, nlocal, n, n, s, &s->H));
  PetscCall(MatShellSetOperation(s->H, MATOP_MULT, (void (*)(void))MatMult_Hessian));
  PetscCall(KSPCreate(PetscObjectComm((PetscObject)s->blp), &s->ksp));
  PetscCall(KSPSetType(s->ksp, KSPCG));
  PetscCall(KSPGetPC(s->ksp, &pc));
  PetscCall(PCSetType(pc, PCNONE));
  PetscCall(KSPSetOperators(s->ksp, s->H, s->H));
  PetscCall(KSPSetTolerances(s->ksp, 0, 0, PETSC_DEFAULT, s->steps));
  PetscCall(KSPSetConvergenceTest(s->ksp, KSPConvergedSkip, NULL, NULL));
  PetscCall(KSPSetUp(s->ksp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BenchSideCreate(BLP blp, Vec lambda, BenchSide *s)
{
  Vec *const copies[] = {&s->v, &s->y, &s->solution, &s->residual, &s->direction};

  PetscFunctionBegin;
  *s = (BenchSide){.blp = blp, .steps = s->steps, .lower_steps = s->lower_steps, .lambda = lambda};
  PetscCall(PetscObjectReference((PetscObject)lambda));
  PetscCall(BLPCreateVecs(blp, NULL, &s->w));
  PetscCall(VecDuplicate(lambda, &s->g));
  PetscCall(VecZeroEntries(s->g));
  for (int i = 0; i < 5; i++) PetscCall(VecDuplicate(s->w, copies[i]));
  PetscCall(TwofoldVecSetRandomNormal(s->w, 3));
  PetscCall(TwofoldVecSetRandomNormal(s->v, 4));
  for (int map = 0; map < MAPS; map++) PetscCall(CreateMap(s, map));
  PetscCall(CreateKSP(s));
  PetscCall(BLPLossLinearize(blp, lambda, s->w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BenchSideDestroy(BenchSide *s)
{
  Vec *const vecs[] = {&s->lambda, &s->w, &s->v, &s->y, &s->g, &s->solution, &s->residual, &s->direction};

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(vecs) / sizeof(vecs[0]); i++) PetscCall(VecDestroy(vecs[i]));
  for (int map = 0; map < MAPS; map++) {
    PetscCall(StateDestroy(&s->x[map]));
    PetscCall(StateDestroy(&s->a[map]));
    PetscCall(StateDestroy(&s->b[map]));
    PetscCall(FPMDestroy(&s->fpm[map]));
  }
  PetscCall(KSPDestroy(&s->ksp));
  PetscCall(MatDestroy(&s->H));
  PetscCall(BLPDestroy(&s->blp));
  PetscFunctionReturn(PETSC_SUCCESS);
}
