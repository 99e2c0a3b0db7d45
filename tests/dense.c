/* Slow dense references: dispatch to the problems' files, maps, hypergradients. */
#include "denseimpl.h"
#include <petscblaslapack.h>

static const struct {
  BLPType type;
  DenseConstructor create;
} constructors[] = {
    {BLPSOFTMAX, DenseCreate_Softmax},
    {BLPLOGISTIC, DenseCreate_Logistic},
    {BLPBIASEDREG, DenseCreate_BiasedReg},
    {BLPKRR, DenseCreate_KRR},
    {BLPUSER, DenseCreate_User},
    {BLPQUADRATIC, DenseCreate_Quadratic},
    {BLPHYPERREP, DenseCreate_HyperRep},
    {BLPDISTILL, DenseCreate_Distill},
    {BLPDATACLEAN, DenseCreate_DataClean},
    {BLPEQUILIBRIUM, DenseCreate_Equilibrium},
    {BLPCONVEQUILIBRIUM, DenseCreate_ConvEquilibrium},
};

PetscErrorCode DenseCreate(BLPType type, const Synthetic *s, Dense **dense)
{
  const Synthetic own = SyntheticSpec(type, s);
  DenseConstructor create = NULL;
  Dense *d;

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(constructors) / sizeof(constructors[0]); i++) {
    PetscBool same;
    PetscCall(PetscStrcmp(type, constructors[i].type, &same));
    if (same) create = constructors[i].create;
  }
  PetscCheck(create, PETSC_COMM_SELF, PETSC_ERR_SUP,
             "problem %s has no dense reference: write dense_%s.c and add it to the table of dense.c", type,
             type);
  PetscCall(PetscNew(&d));
  d->type = type;
  PetscCall((*create)(&own, d));
  *dense = d;
  PetscFunctionReturn(0);
}

PetscErrorCode DenseSetSamples(const Synthetic *s, Dense *d)
{
  PetscFunctionBegin;
  d->p = s->p;
  d->c = s->c;
  d->rows = s->p + (s->bias ? 1 : 0);
  for (int k = 0; k < 3; k++) {
    d->n[k] = s->n[k];
    PetscCall(PetscMalloc1(d->n[k] * d->rows, &d->X[k]));
    for (PetscInt i = 0; i < d->n[k]; i++)
      for (PetscInt j = 0; j < d->rows; j++)
        d->X[k][i * d->rows + j] = j < s->p ? SyntheticValue(s, k, i, j) : 1;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode DenseDestroy(Dense **dense)
{
  PetscFunctionBegin;
  PetscCall((*dense)->ops->destroy(*dense));
  for (int k = 0; k < 3; k++) PetscCall(PetscFree((*dense)->X[k]));
  PetscCall(PetscFree(*dense));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ dispatch */

PetscReal DenseLoss(const Dense *d, const PetscReal lambda[], const PetscReal w[])
{
  return d->ops->loss(d, lambda, w);
}

void DenseGradient(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g[])
{
  d->ops->gradient(d, lambda, w, g);
}

void DenseHessian(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal H[])
{
  d->ops->hessian(d, lambda, w, H);
}

void DenseCross(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal C[])
{
  d->ops->cross(d, lambda, w, C);
}

PetscReal DenseUpperAt(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g1[],
                       PetscReal g2[])
{
  return d->ops->upper(d, lambda, w, g1, g2);
}

PetscReal DenseUpper(const Dense *d, const PetscReal w[], PetscReal g1[])
{
  return DenseUpperAt(d, NULL, w, g1, NULL);
}

PetscBool DenseHasSet(const Dense *d, int set)
{
  return (PetscBool)(d->ops->evaluate && d->n[set] > 0);
}

void DenseEvaluate(const Dense *d, int set, const PetscReal lambda[], const PetscReal w[],
                   BLPMetrics *metrics)
{
  d->ops->evaluate(d, set, lambda, w, metrics);
}

/* ------------------------------------------------------------------ linear algebra */

static PetscErrorCode Gesv(PetscInt n, PetscReal A[], const PetscReal b[], PetscReal x[])
{
  PetscBLASInt m, one = 1, info, *pivot;

  PetscFunctionBegin;
  PetscCall(PetscBLASIntCast(n, &m));
  PetscCall(PetscMalloc1(n, &pivot));
  PetscCall(PetscArraycpy(x, b, n));
  LAPACKgesv_(&m, &one, A, &m, pivot, x, &m, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "gesv: info %d", (int)info);
  PetscCall(PetscFree(pivot));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseSolveTranspose(PetscInt n, const PetscReal A[], const PetscReal b[], PetscReal x[])
{
  PetscReal *copy; /* read by columns it is the transpose */

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n * n, &copy));
  PetscCall(PetscArraycpy(copy, A, n * n));
  PetscCall(Gesv(n, copy, b, x));
  PetscCall(PetscFree(copy));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseSolve(PetscInt n, const PetscReal A[], const PetscReal b[], PetscReal x[])
{
  PetscReal *At;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n * n, &At));
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt j = 0; j < n; j++) At[j * n + i] = A[i * n + j];
  PetscCall(Gesv(n, At, b, x));
  PetscCall(PetscFree(At));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseEigenvalues(PetscInt n, const PetscReal A[], PetscReal e[])
{
  PetscBLASInt m, lwork, info;
  PetscReal *copy, *work;

  PetscFunctionBegin;
  PetscCall(PetscBLASIntCast(n, &m));
  lwork = 3 * m;
  PetscCall(PetscMalloc2(n * n, &copy, lwork, &work));
  PetscCall(PetscArraycpy(copy, A, n * n));
  LAPACKsyev_("N", "U", &m, copy, &m, e, work, &lwork, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "syev: info %d", (int)info);
  PetscCall(PetscFree2(copy, work));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ maps */

typedef enum { GD, HEAVYBALL, NESTEROV, PROBLEM } MapKind;

static PetscErrorCode GetKind(const Dense *d, const DenseMap *map, MapKind *kind)
{
  const char *const names[] = {FPMGD, FPMHEAVYBALL, FPMNESTEROV, FPMPROBLEM};
  PetscBool same = PETSC_FALSE;

  PetscFunctionBegin;
  *kind = GD;
  for (int i = 0; i < 4 && !same; i++) {
    PetscCall(PetscStrcmp(map->type, names[i], &same));
    *kind = (MapKind)i;
  }
  PetscCheck(same, PETSC_COMM_SELF, PETSC_ERR_SUP, "map %s has no dense reference: add it to dense.c",
             map->type);
  PetscCheck(*kind == PROBLEM ? d->ops->mapstep != NULL : d->ops->gradient != NULL, PETSC_COMM_SELF,
             PETSC_ERR_SUP, "the dense reference of problem %s has nothing for map %s", d->type, map->type);
  PetscFunctionReturn(0);
}

static PetscBool HasHistory(MapKind kind)
{
  return (PetscBool)(kind == HEAVYBALL || kind == NESTEROV);
}

PetscErrorCode DenseMapGetSize(const Dense *d, const DenseMap *map, PetscInt *n)
{
  MapKind kind;

  PetscFunctionBegin;
  PetscCall(GetKind(d, map, &kind));
  *n = HasHistory(kind) ? 2 * d->nw : d->nw;
  PetscFunctionReturn(0);
}

/* Where the loss is taken: w, or Nesterov's y. */
static void LossPoint(const Dense *d, MapKind kind, PetscReal beta, const PetscReal x[], PetscReal y[])
{
  for (PetscInt m = 0; m < d->nw; m++)
    y[m] = kind == NESTEROV ? (1 + beta) * x[m] - beta * x[d->nw + m] : x[m];
}

PetscErrorCode DenseMapStep(const Dense *d, const DenseMap *map, const PetscReal lambda[], PetscReal x[])
{
  const PetscReal beta = map->momentum;
  MapKind kind;
  PetscReal *g, *y;

  PetscFunctionBegin;
  PetscCall(GetKind(d, map, &kind));
  PetscCall(PetscMalloc2(d->nw, &g, d->nw, &y));
  LossPoint(d, kind, beta, x, y);
  if (kind == PROBLEM)
    d->ops->mapstep(d, lambda, y, x);
  else
    DenseGradient(d, lambda, y, g);
  for (PetscInt m = 0; m < d->nw && kind != PROBLEM; m++) {
    const PetscReal w = x[m];
    x[m] = y[m] - map->step * g[m] + (kind == HEAVYBALL ? beta * (w - x[d->nw + m]) : 0);
    if (HasHistory(kind)) x[d->nw + m] = w;
  }
  PetscCall(PetscFree2(g, y));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseMapDerivatives(const Dense *d, const DenseMap *map, const PetscReal lambda[],
                                   const PetscReal x[], PetscReal J[], PetscReal B[])
{
  const PetscInt nw = d->nw;
  const PetscReal beta = map->momentum;
  PetscReal *H, *C, *y;
  PetscInt n = 0;
  MapKind kind;

  PetscFunctionBegin;
  PetscCall(GetKind(d, map, &kind));
  if (kind == PROBLEM) {
    d->ops->mapderivatives(d, lambda, x, J, B);
    PetscFunctionReturn(0);
  }
  PetscCall(DenseMapGetSize(d, map, &n));
  PetscCall(PetscMalloc3(nw * nw, &H, nw * d->nlambda, &C, nw, &y));
  LossPoint(d, kind, beta, x, y);
  DenseHessian(d, lambda, y, H);
  DenseCross(d, lambda, y, C);
  PetscCall(PetscArrayzero(J, n * n));
  PetscCall(PetscArrayzero(B, n * d->nlambda));
  for (PetscInt m = 0; m < nw; m++) {
    for (PetscInt l = 0; l < nw; l++) {
      const PetscReal A = (m == l ? 1 : 0) - map->step * H[m * nw + l];
      J[m * n + l] = kind == NESTEROV ? (1 + beta) * A : A;
      if (kind == NESTEROV) J[m * n + nw + l] = -beta * A;
    }
    for (PetscInt j = 0; j < d->nlambda; j++) B[m * d->nlambda + j] = -map->step * C[m * d->nlambda + j];
    if (kind == HEAVYBALL) {
      J[m * n + m] += beta;
      J[m * n + nw + m] = -beta;
    }
    if (HasHistory(kind)) J[(nw + m) * n + m] = 1;
  }
  PetscCall(PetscFree3(H, C, y));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ hypergradients */

/* y <- M^T a for M of n rows and m columns. */
static void MultTranspose(PetscInt n, PetscInt m, const PetscReal M[], const PetscReal a[], PetscReal y[])
{
  for (PetscInt j = 0; j < m; j++) {
    long double sum = 0;
    for (PetscInt i = 0; i < n; i++) sum += (long double)M[i * m + j] * a[i];
    y[j] = (PetscReal)sum;
  }
}

PetscErrorCode DenseITD(const Dense *d, const DenseMap *map, const PetscReal lambda[], PetscInt t, PetscInt K,
                        PetscReal *f, PetscReal g[])
{
  PetscInt n = 0;
  PetscReal *x, *J, *B, *a, *next, *part;

  PetscFunctionBegin;
  PetscCall(DenseMapGetSize(d, map, &n));
  PetscCall(PetscCalloc3((t + 1) * n, &x, n, &a, n, &next));
  PetscCall(PetscMalloc3(n * n, &J, n * d->nlambda, &B, d->nlambda, &part));
  for (PetscInt i = 0; i < t; i++) {
    PetscCall(PetscArraycpy(x + (i + 1) * n, x + i * n, n));
    PetscCall(DenseMapStep(d, map, lambda, x + (i + 1) * n));
  }
  *f = DenseUpperAt(d, lambda, x + t * n, a, g);
  for (PetscInt i = t - 1; i >= 0 && i >= t - K; i--) {
    PetscCall(DenseMapDerivatives(d, map, lambda, x + i * n, J, B));
    MultTranspose(n, d->nlambda, B, a, part);
    for (PetscInt j = 0; j < d->nlambda; j++) g[j] += part[j];
    MultTranspose(n, n, J, a, next);
    PetscCall(PetscArraycpy(a, next, n));
  }
  PetscCall(PetscFree3(x, a, next));
  PetscCall(PetscFree3(J, B, part));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseImplicit(const Dense *d, const DenseMap *map, const PetscReal lambda[],
                             const PetscReal x[], PetscReal v[], PetscReal g[])
{
  PetscInt n = 0;
  PetscReal *A, *B, *b, *solution, *g2;

  PetscFunctionBegin;
  PetscCall(DenseMapGetSize(d, map, &n));
  PetscCall(PetscMalloc2(n * n, &A, n * d->nlambda, &B));
  PetscCall(PetscCalloc2(n, &b, n, &solution));
  PetscCall(DenseMapDerivatives(d, map, lambda, x, A, B));
  for (PetscInt i = 0; i < n * n; i++) A[i] = (i % (n + 1) == 0 ? 1 : 0) - A[i];
  PetscCall(PetscMalloc1(d->nlambda, &g2));
  DenseUpperAt(d, lambda, x, b, g2);
  PetscCall(DenseSolveTranspose(n, A, b, solution));
  MultTranspose(n, d->nlambda, B, solution, g);
  for (PetscInt j = 0; j < d->nlambda; j++) g[j] += g2[j];
  PetscCall(PetscFree(g2));
  if (v) PetscCall(PetscArraycpy(v, solution, n));
  PetscCall(PetscFree2(A, B));
  PetscCall(PetscFree2(b, solution));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseExact(const Dense *d, const PetscReal lambda[], PetscReal w[], PetscReal *f,
                          PetscReal g[])
{
  const PetscBool loss = (PetscBool)(d->ops->gradient != NULL);
  const DenseMap map = {loss ? FPMGD : FPMPROBLEM, 1, 0};
  PetscReal *at, *r, *step, *H, *B;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(d->nw, &at));
  PetscCall(PetscMalloc4(d->nw, &r, d->nw, &step, d->nw * d->nw, &H, d->nw * d->nlambda, &B));
  for (int i = 0; i < 30; i++) { /* quadratic convergence ends long before */
    if (!loss) {
      PetscCall(PetscArraycpy(r, at, d->nw));
      PetscCall(DenseMapStep(d, &map, lambda, r));
      PetscCall(DenseMapDerivatives(d, &map, lambda, at, H, B));
      for (PetscInt m = 0; m < d->nw; m++) r[m] = at[m] - r[m];
      for (PetscInt m = 0; m < d->nw * d->nw; m++) H[m] = (m % (d->nw + 1) == 0 ? 1 : 0) - H[m];
    } else {
      DenseGradient(d, lambda, at, r);
      DenseHessian(d, lambda, at, H);
    }
    PetscCall(DenseSolve(d->nw, H, r, step));
    for (PetscInt m = 0; m < d->nw; m++) at[m] -= step[m];
  }
  *f = DenseUpperAt(d, lambda, at, NULL, NULL);
  if (g) PetscCall(DenseImplicit(d, &map, lambda, at, NULL, g));
  if (w) PetscCall(PetscArraycpy(w, at, d->nw));
  PetscCall(PetscFree(at));
  PetscCall(PetscFree4(r, step, H, B));
  PetscFunctionReturn(0);
}
