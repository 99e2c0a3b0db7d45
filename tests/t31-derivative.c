/* Derivatives of the transposed products and of E's gradients in w, along a direction: against differences of
   dense matrices and gradients, over all problems and maps. */
#include "dense.h"

static const DenseMap settings = {NULL, 0.4, 0.3}; /* step and momentum of all maps here */

typedef struct {
  BLP blp;
  FPM fpm;
  DenseMap map;
  Dense *dense;
  Vec lambda, g, y2;
  State x, v, dx, y;
  PetscInt n, p; /* sizes of the state and of lambda */
  PetscReal *l, *at, *along, *adjoint;
} Case;

static PetscErrorCode CaseCreate(BLPType problem, FPMType type, const Synthetic *s, Case *k)
{
  PetscFunctionBegin;
  k->map = settings;
  k->map.type = type;
  PetscCall(SyntheticProblem(TEST_COMM, problem, s, &k->blp));
  PetscCall(DenseCreate(problem, s, &k->dense));
  PetscCall(FPMCreate(TEST_COMM, &k->fpm));
  PetscCall(FPMSetBLP(k->fpm, k->blp));
  PetscCall(FPMSetType(k->fpm, type));
  PetscCall(FPMSetStep(k->fpm, k->map.step));
  PetscCall(FPMSetMomentum(k->fpm, k->map.momentum));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, NULL));
  PetscCall(VecDuplicate(k->lambda, &k->g));
  PetscCall(VecDuplicate(k->lambda, &k->y2));
  State *const states[] = {&k->x, &k->v, &k->dx, &k->y};
  for (int i = 0; i < 4; i++) PetscCall(FPMCreateState(k->fpm, states[i]));
  PetscCall(SyntheticLambda(k->blp, s, 10, 1, 0, k->lambda));
  PetscCall(StateSetRandomNormal(k->x, 30));
  PetscCall(StateSetRandomNormal(k->v, 40));
  PetscCall(StateSetRandomNormal(k->dx, 50));
  PetscCall(DenseMapGetSize(k->dense, &k->map, &k->n));
  k->p = k->dense->nlambda;
  PetscCall(PetscMalloc4(k->p, &k->l, k->n, &k->at, k->n, &k->along, k->n, &k->adjoint));
  PetscCall(VecGather(k->lambda, k->l));
  PetscCall(StateGather(k->x, k->at));
  PetscCall(StateGather(k->dx, k->along));
  PetscCall(StateGather(k->v, k->adjoint));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  State *const states[] = {&k->x, &k->v, &k->dx, &k->y};

  PetscFunctionBegin;
  for (int i = 0; i < 4; i++) PetscCall(StateDestroy(states[i]));
  PetscCall(PetscFree4(k->l, k->at, k->along, k->adjoint));
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(VecDestroy(&k->g));
  PetscCall(VecDestroy(&k->y2));
  PetscCall(FPMDestroy(&k->fpm));
  PetscCall(DenseDestroy(&k->dense));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* All that is differentiated, at x + h dx, behind each other in out: d1Phi^T v (n), d2Phi^T v (p),
   grad1 E (nw), grad2 E (p). */
static PetscErrorCode DenseAt(Case *k, PetscReal h, PetscReal out[])
{
  const PetscInt n = k->n, p = k->p, nw = k->dense->nw;
  PetscReal *x, *J, *B;

  PetscFunctionBegin;
  PetscCall(PetscMalloc3(n, &x, n * n, &J, n * p, &B));
  for (PetscInt i = 0; i < n; i++) x[i] = k->at[i] + h * k->along[i];
  PetscCall(DenseMapDerivatives(k->dense, &k->map, k->l, x, J, B));
  PetscCall(PetscArrayzero(out, n + p));
  for (PetscInt i = 0; i < n; i++) {
    for (PetscInt j = 0; j < n; j++) out[j] += J[i * n + j] * k->adjoint[i];
    for (PetscInt j = 0; j < p; j++) out[n + j] += B[i * p + j] * k->adjoint[i];
  }
  DenseUpperAt(k->dense, k->l, x, out + n + p, out + n + p + nw);
  PetscCall(PetscFree3(x, J, B));
  PetscFunctionReturn(0);
}

/* Central differences with steps h and h / 2, extrapolated to h^4. */
static PetscErrorCode DenseDerivative(Case *k, PetscInt m, PetscReal out[])
{
  const PetscReal h = 1e-3;
  PetscReal *value[4];

  PetscFunctionBegin;
  for (int i = 0; i < 4; i++) {
    PetscCall(PetscMalloc1(m, &value[i]));
    PetscCall(DenseAt(k, (i % 2 ? -h : h) / (1 + i / 2), value[i]));
  }
  for (PetscInt j = 0; j < m; j++) {
    const PetscReal coarse = (value[0][j] - value[1][j]) / (2 * h), fine = (value[2][j] - value[3][j]) / h;
    out[j] = (4 * fine - coarse) / 3;
  }
  for (int i = 0; i < 4; i++) PetscCall(PetscFree(value[i]));
  PetscFunctionReturn(0);
}

/* All of x against expected, relative to the larger of expected and `scale`. */
static PetscErrorCode Close(Case *k, Vec x, const PetscReal expected[], PetscReal scale, const char what[])
{
  PetscReal *all, difference = 0, norm = 0;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetSize(x, &n));
  PetscCall(PetscMalloc1(n, &all));
  PetscCall(VecGather(x, all));
  for (PetscInt i = 0; i < n; i++) {
    difference += PetscSqr(all[i] - expected[i]);
    norm += PetscSqr(expected[i]);
  }
  CHECK(PetscSqrtReal(difference) <= 1e-8 * PetscMax(PetscSqrtReal(norm), scale),
        "%s, %s: differs by %g of %g", k->map.type, what, PetscSqrtReal(difference), PetscSqrtReal(norm));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* The derivatives, and that the map's products are those at x afterwards. */
static PetscErrorCode Derivatives(Case *k)
{
  const PetscInt nw = k->dense->nw, m = k->n + 2 * k->p + nw;
  PetscReal *expected, difference;
  Vec y1;
  State before, after;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(m, &expected));
  PetscCall(DenseDerivative(k, m, expected));
  PetscCall(FPMCreateState(k->fpm, &before));
  PetscCall(FPMCreateState(k->fpm, &after));
  PetscCall(FPMLinearize(k->fpm, k->lambda, k->x));
  PetscCall(FPMVJP(k->fpm, k->v, before));
  PetscCall(FPMVJPDerivative(k->fpm, k->lambda, k->x, k->v, k->dx, k->y, k->g));
  PetscCall(FPMVJP(k->fpm, k->v, after));
  for (PetscInt i = 0; i < k->y->n; i++) {
    PetscCall(Close(k, k->y->v[i], expected + i * nw, 1, "D[d1Phi^T v]"));
    PetscCall(RelativeDifference(after->v[i], before->v[i], &difference));
    CHECK(difference == 0, "%s: d1Phi^T v differs by %g afterwards", k->map.type, difference);
  }
  PetscCall(Close(k, k->g, expected + k->n, 1, "D[d2Phi^T v]"));
  PetscCall(VecDuplicate(k->x->v[0], &y1));
  PetscCall(BLPUpperDerivative(k->blp, k->lambda, k->x->v[0], k->dx->v[0], y1, k->y2));
  PetscCall(Close(k, y1, expected + k->n + k->p, 1, "D[grad1 E]"));
  PetscCall(Close(k, k->y2, expected + k->n + k->p + nw, 1, "D[grad2 E]"));
  PetscCall(VecDestroy(&y1));
  PetscCall(StateDestroy(&before));
  PetscCall(StateDestroy(&after));
  PetscCall(PetscFree(expected));
  PetscFunctionReturn(0);
}

/* Along a direction 1e-9 times as long they are as exact, and along 0 they are 0. */
static PetscErrorCode Short(Case *k)
{
  const PetscReal factor = 1e-9;
  PetscReal norm;
  Vec g;
  State y;

  PetscFunctionBegin;
  PetscCall(FPMCreateState(k->fpm, &y));
  PetscCall(VecDuplicate(k->g, &g));
  for (PetscInt j = 0; j < k->dx->n; j++) PetscCall(VecScale(k->dx->v[j], factor));
  PetscCall(FPMVJPDerivative(k->fpm, k->lambda, k->x, k->v, k->dx, y, g));
  PetscCall(StateAYPX(y, -1 / factor, k->y));
  PetscCall(StateNorm(y, &norm));
  CHECK(norm <= 1e-7, "%s: D[d1Phi^T v] along 1e-9 dx differs by %g", k->map.type, norm);
  PetscCall(VecAXPBY(g, -1, 1 / factor, k->g));
  PetscCall(VecNorm(g, NORM_2, &norm));
  CHECK(norm <= 1e-7, "%s: D[d2Phi^T v] along 1e-9 dx differs by %g", k->map.type, norm);
  PetscCall(StateZero(k->dx));
  PetscCall(FPMVJPDerivative(k->fpm, k->lambda, k->x, k->v, k->dx, y, g));
  PetscCall(StateNorm(y, &norm));
  CHECK(norm == 0, "%s: %g along 0", k->map.type, norm);
  PetscCall(StateDestroy(&y));
  PetscCall(VecDestroy(&g));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Synthetic cases[] = {
      {.n = {13, 5, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1},
      {.n = {13, 5, 0}, .p = 4, .c = 3, .density = 0.7, .bias = PETSC_TRUE, .seed = 2},
      {.n = {13, 5, 0}, .p = 4, .c = 3, .density = 0.7, .map = PETSC_TRUE, .seed = 2},
  };
  const char **problems, **maps;
  PetscInt nproblems, nmaps;
  Case k;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(BLPGetRegistered(&nproblems, &problems));
  PetscCall(FPMGetRegistered(&nmaps, &maps));
  for (PetscInt b = 0; b < nproblems; b++) {
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
      if (!SyntheticHasKind(problems[b], cases[i].map)) continue;
      for (PetscInt m = 0; m < nmaps; m++) {
        if (!strcmp(maps[m], FPMPROBLEM) != (cases[i].map == PETSC_TRUE)) continue;
        PetscCall(CaseCreate(problems[b], maps[m], &cases[i], &k));
        PetscCall(Derivatives(&k));
        PetscCall(Short(&k));
        PetscCall(CaseDestroy(&k));
      }
    }
  }
  PetscCall(PetscFree(problems));
  PetscCall(PetscFree(maps));
  PetscCall(TestFinalize());
  return 0;
}
