/* Kernel ridge regression on samples that are hard for it: twins, features far from 0, one sample, one
   feature, narrow and wide kernels. Kernels and derivatives against loops in long double over all pairs of
   samples; constants against what they bound; the two ways to write lambda; what is refused. */
#include "dense.h"
#include "files.h"

typedef struct {
  const char *name;
  PetscInt n[2], p; /* training and validation samples, features */
  PetscReal offset; /* of all features */
  PetscReal twin;   /* every other sample is the one before it, moved by this; 0: none */
  PetscReal gamma;  /* gamma_k = gamma (1 + k / 2) */
  PetscReal beta;
} Spec;

/* ------------------------------------------------------------------ samples and the problem */

static PetscReal Feature(const Spec *s, int set, PetscInt i, PetscInt k)
{
  const PetscInt of = s->twin > 0 ? i - i % 2 : i;
  const PetscReal x = TwofoldRandomNormal(100 + set, of * s->p + k) + s->offset;

  return s->twin > 0 && i % 2 ? x + s->twin * TwofoldRandomNormal(200 + set, i * s->p + k) : x;
}

static PetscReal Target(int set, PetscInt i)
{
  return TwofoldRandomNormal(300 + set, i);
}

static PetscErrorCode MakeSet(const Spec *s, int set, DataSet *ds)
{
  PetscInt nlocal = PETSC_DECIDE, n = s->n[set], first, *rowptr, *col;
  PetscScalar *val;
  PetscReal *y;

  PetscFunctionBegin;
  PetscCall(PetscSplitOwnership(TEST_COMM, &nlocal, &n));
  PetscCallMPI(MPI_Scan(&nlocal, &first, 1, MPIU_INT, MPI_SUM, TEST_COMM));
  first -= nlocal;
  PetscCall(PetscMalloc4(nlocal + 1, &rowptr, nlocal * s->p, &col, nlocal * s->p, &val, nlocal, &y));
  for (PetscInt i = 0; i <= nlocal; i++) rowptr[i] = i * s->p;
  for (PetscInt i = 0; i < nlocal; i++) {
    y[i] = Target(set, first + i);
    for (PetscInt k = 0; k < s->p; k++) {
      col[i * s->p + k] = k;
      val[i * s->p + k] = Feature(s, set, first + i, k);
    }
  }
  PetscCall(DataSetCreate(TEST_COMM, ds));
  PetscCall(DataSetSetTargets(*ds, PETSC_TRUE));
  PetscCall(DataSetSetRows(*ds, nlocal, rowptr, col, val, y, s->p, PETSC_TRUE));
  PetscCall(PetscFree4(rowptr, col, val, y));
  PetscFunctionReturn(0);
}

static PetscErrorCode MakeProblem(const Spec *s, const char options[], BLP *blp)
{
  PetscOptions opts;
  DataSet train, val;

  PetscFunctionBegin;
  PetscCall(MakeSet(s, 0, &train));
  PetscCall(MakeSet(s, 1, &val));
  PetscCall(OptionsUse(options, &opts));
  PetscCall(BLPCreate(TEST_COMM, blp));
  PetscCall(BLPSetType(*blp, BLPKRR));
  PetscCall(BLPSetData(*blp, train, val, NULL));
  PetscCall(BLPSetFromOptions(*blp));
  PetscCall(BLPSetUp(*blp));
  PetscCall(OptionsDrop(&opts));
  PetscCall(DataSetDestroy(&train));
  PetscCall(DataSetDestroy(&val));
  PetscFunctionReturn(0);
}

/* lambda = (beta, gamma) as it is, or its logarithms. */
static PetscErrorCode SetLambda(const Spec *s, PetscBool raw, Vec lambda)
{
  PetscReal *all;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(s->p + 1, &all));
  for (PetscInt k = 0; k <= s->p; k++) {
    all[k] = k ? s->gamma * (1 + (PetscReal)(k - 1) / 2) : s->beta;
    if (!raw) all[k] = PetscLogReal(all[k]);
  }
  PetscCall(VecFill(lambda, all));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* A problem with raw parameters at a point, its training and validation kernels as they should be. */
typedef struct {
  Spec s;
  BLP blp;
  Vec lambda, w, v, y, u, g; /* y like w; u and g like lambda */
  PetscReal *at, *vs;        /* w and v on every rank */
  PetscReal *X[2];
  long double *K[2];
} Case;

static long double Square(const Case *c, int set, PetscInt i, PetscInt j, PetscInt k)
{
  const long double d = (long double)c->X[set][i * c->s.p + k] - c->X[0][j * c->s.p + k];

  return d * d;
}

static PetscErrorCode CaseCreate(const Spec *s, Case *c)
{
  const PetscInt n = s->n[0];

  PetscFunctionBegin;
  c->s = *s;
  PetscCall(MakeProblem(s, "-blp_krr_parameters raw", &c->blp));
  PetscCall(BLPCreateVecs(c->blp, &c->lambda, &c->w));
  PetscCall(VecDuplicate(c->w, &c->v));
  PetscCall(VecDuplicate(c->w, &c->y));
  PetscCall(VecDuplicate(c->lambda, &c->u));
  PetscCall(VecDuplicate(c->lambda, &c->g));
  PetscCall(SetLambda(s, PETSC_TRUE, c->lambda));
  PetscCall(TwofoldVecSetRandomNormal(c->w, 1));
  PetscCall(TwofoldVecSetRandomNormal(c->v, 2));
  PetscCall(TwofoldVecSetRandomNormal(c->u, 3));
  PetscCall(PetscMalloc2(n, &c->at, n, &c->vs));
  PetscCall(VecGather(c->w, c->at));
  PetscCall(VecGather(c->v, c->vs));
  for (int set = 0; set < 2; set++) {
    PetscCall(PetscMalloc2(s->n[set] * s->p, &c->X[set], s->n[set] * n, &c->K[set]));
    for (PetscInt i = 0; i < s->n[set]; i++)
      for (PetscInt k = 0; k < s->p; k++) c->X[set][i * s->p + k] = Feature(s, set, i, k);
    for (PetscInt i = 0; i < s->n[set]; i++) {
      for (PetscInt j = 0; j < n; j++) {
        long double sum = 0;
        for (PetscInt k = 0; k < s->p; k++)
          sum += (long double)(s->gamma * (1 + (PetscReal)k / 2)) * Square(c, set, i, j, k);
        c->K[set][i * n + j] = expl(-sum);
      }
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *c)
{
  PetscFunctionBegin;
  PetscCall(BLPDestroy(&c->blp));
  PetscCall(VecDestroy(&c->lambda));
  PetscCall(VecDestroy(&c->w));
  PetscCall(VecDestroy(&c->v));
  PetscCall(VecDestroy(&c->y));
  PetscCall(VecDestroy(&c->u));
  PetscCall(VecDestroy(&c->g));
  PetscCall(PetscFree2(c->at, c->vs));
  for (int set = 0; set < 2; set++) PetscCall(PetscFree2(c->X[set], c->K[set]));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ kernels */

/* Column by column through the Hessian: right to rounding, symmetric to the last bit, and 1 + beta on the
   diagonal. */
static PetscErrorCode Kernels(Case *c)
{
  const PetscInt n = c->s.n[0];
  PetscReal *H, *e;
  Vec unit;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(n * n, &H, n, &e));
  PetscCall(VecDuplicate(c->w, &unit));
  PetscCall(BLPLossLinearize(c->blp, c->lambda, c->w));
  for (PetscInt j = 0; j < n; j++) {
    for (PetscInt i = 0; i < n; i++) e[i] = i == j;
    PetscCall(VecFill(unit, e));
    PetscCall(BLPLossHessianMult(c->blp, unit, c->y));
    PetscCall(VecGather(c->y, H + j * n));
  }
  for (PetscInt i = 0; i < n; i++) {
    CHECK(H[i * n + i] == 1 + c->s.beta, "%s: K_ii %.17g", c->s.name, H[i * n + i] - c->s.beta);
    for (PetscInt j = 0; j < n; j++) {
      const PetscReal error = (PetscReal)(H[i * n + j] - c->K[0][i * n + j] - (i == j ? c->s.beta : 0));
      CHECK(PetscAbsReal(error) <= 1e-14, "%s: K_ij is wrong by %g", c->s.name, error);
      CHECK(H[i * n + j] == H[j * n + i], "%s: K is not symmetric", c->s.name);
    }
  }
  PetscCall(BLPLossHessianDiagonal(c->blp, c->y));
  PetscCall(VecGather(c->y, e));
  for (PetscInt i = 0; i < n; i++) CHECK(e[i] == 1 + c->s.beta, "%s: diagonal %g", c->s.name, e[i]);
  PetscCall(VecDestroy(&unit));
  PetscCall(PetscFree2(H, e));
  PetscFunctionReturn(0);
}

/* v^T dK_k w of a set by loops, and the size of what is summed where the squares are expanded around the
   means of the training samples, pairs of equal ones left out: rounding is relative to that. */
static void Bilinear(const Case *c, int set, PetscInt k, const PetscReal v[], const PetscReal w[],
                     long double *value, PetscReal *size)
{
  const Spec *s = &c->s;
  const PetscInt n = s->n[0];
  long double mean = 0;

  *value = 0;
  *size = 0;
  for (PetscInt j = 0; j < n; j++) mean += (long double)c->X[0][j * s->p + k] / n;
  for (PetscInt i = 0; i < s->n[set]; i++) {
    for (PetscInt j = 0; j < n && v[i] != 0; j++) {
      const long double weight = c->K[set][i * n + j] * v[i] * w[j];
      const long double x = c->X[set][i * s->p + k] - mean, z = c->X[0][j * s->p + k] - mean;
      *value -= weight * Square(c, set, i, j, k);
      if (set || i != j) *size += (PetscReal)(fabsl(weight) * (x * x + z * z));
    }
  }
}

/* Both cross products. */
static PetscErrorCode GammaGradients(Case *c)
{
  const PetscInt n = c->s.n[0], p = c->s.p;
  PetscReal *g, *u, *y, *unit, size = 0, error;
  long double value = 0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc4(p + 1, &g, p + 1, &u, n, &y, n, &unit));
  PetscCall(BLPLossLinearize(c->blp, c->lambda, c->w));
  PetscCall(BLPLossCrossMultTranspose(c->blp, c->v, c->g));
  PetscCall(VecGather(c->g, g));
  for (PetscInt k = 0; k < p; k++) {
    Bilinear(c, 0, k, c->vs, c->at, &value, &size);
    error = (PetscReal)fabsl(g[1 + k] - value);
    CHECK(error <= 2e-15 * size, "%s: gamma %d: %.17g instead of %.17Lg, rounding of %g", c->s.name, (int)k,
          g[1 + k], value, error / size);
  }
  PetscCall(BLPLossCrossMult(c->blp, c->u, c->y));
  PetscCall(VecGather(c->u, u));
  PetscCall(VecGather(c->y, y));
  for (PetscInt i = 0; i < PetscMin(n, 20); i++) {
    long double expected = (long double)u[0] * c->at[i];
    PetscReal sizes = PetscAbsReal((PetscReal)expected);
    for (PetscInt j = 0; j < n; j++) unit[j] = i == j;
    for (PetscInt k = 0; k < p; k++) {
      Bilinear(c, 0, k, unit, c->at, &value, &size);
      expected += u[1 + k] * value;
      sizes += PetscAbsReal(u[1 + k]) * size;
    }
    error = (PetscReal)fabsl(y[i] - expected);
    CHECK(error <= 2e-15 * sizes, "%s: cross product: %.17g instead of %.17Lg", c->s.name, y[i], expected);
  }
  PetscCall(PetscFree4(g, u, y, unit));
  PetscFunctionReturn(0);
}

/* E, grad1 E and grad2 E. */
static PetscErrorCode Upper(Case *c)
{
  const PetscInt n = c->s.n[0], m = c->s.n[1], p = c->s.p;
  PetscReal *r, *g, E, size = 0;
  long double value = 0, sum = 0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(m, &r, PetscMax(n, p + 1), &g));
  for (PetscInt i = 0; i < m; i++) {
    value = Target(1, i);
    for (PetscInt j = 0; j < n; j++) value -= c->K[1][i * n + j] * c->at[j];
    sum += value * value / 2;
    r[i] = (PetscReal)value;
  }
  PetscCall(BLPUpper(c->blp, c->lambda, c->w, &E, c->y, c->g));
  CHECK_CLOSE(E, (PetscReal)sum, 1e-13, "E");
  PetscCall(VecGather(c->y, g));
  for (PetscInt j = 0; j < n; j++) {
    value = 0;
    size = 0;
    for (PetscInt i = 0; i < m; i++) {
      value -= c->K[1][i * n + j] * r[i];
      size += (PetscReal)c->K[1][i * n + j] * PetscAbsReal(r[i]);
    }
    CHECK(PetscAbsReal(g[j] - (PetscReal)value) <= 1e-13 * size, "%s: grad1 E: %g instead of %g", c->s.name,
          g[j], (PetscReal)value);
  }
  PetscCall(VecGather(c->g, g));
  CHECK(g[0] == 0, "%s: grad2 E in beta is %g", c->s.name, g[0]);
  for (PetscInt k = 0; k < p; k++) {
    Bilinear(c, 1, k, r, c->at, &value, &size);
    CHECK(PetscAbsReal(g[1 + k] + (PetscReal)value) <= 1e-14 * size, "%s: grad2 E: %.17g instead of %.17g",
          c->s.name, g[1 + k], -(PetscReal)value);
  }
  PetscCall(PetscFree2(r, g));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ constants */

/* The largest singular value of A, m x n. */
static PetscErrorCode Norm(PetscInt m, PetscInt n, const PetscReal A[], PetscReal *norm)
{
  PetscReal *gram, *e;

  PetscFunctionBegin;
  PetscCall(PetscCalloc2(n * n, &gram, n, &e));
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt j = 0; j < n; j++)
      for (PetscInt l = 0; l < m; l++) gram[i * n + j] += A[l * n + i] * A[l * n + j];
  PetscCall(DenseEigenvalues(n, gram, e));
  *norm = PetscSqrtReal(PetscMax(e[n - 1], 0));
  PetscCall(PetscFree2(gram, e));
  PetscFunctionReturn(0);
}

/* ||d/dlambda grad_w l|| at w, which is linear in w. */
static PetscErrorCode CrossNorm(const Case *c, const PetscReal w[], PetscReal *norm)
{
  const PetscInt n = c->s.n[0], q = c->s.p + 1;
  PetscReal *C;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n * q, &C));
  for (PetscInt i = 0; i < n; i++) {
    C[i * q] = w[i];
    for (PetscInt k = 0; k < c->s.p; k++) {
      long double sum = 0;
      for (PetscInt j = 0; j < n; j++) sum -= c->K[0][i * n + j] * Square(c, 0, i, j, k) * w[j];
      C[i * q + 1 + k] = (PetscReal)sum;
    }
  }
  PetscCall(Norm(n, q, C, norm));
  PetscCall(PetscFree(C));
  PetscFunctionReturn(0);
}

static PetscErrorCode Convexity(Case *c)
{
  const PetscInt n = c->s.n[0];
  TwofoldConstant mu, L;
  PetscReal *H, *e;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(n * n, &H, n, &e));
  for (PetscInt i = 0; i < n * n; i++) H[i] = (PetscReal)c->K[0][i] + (i % (n + 1) ? 0 : c->s.beta);
  PetscCall(DenseEigenvalues(n, H, e));
  PetscCall(BLPGetStrongConvexity(c->blp, c->lambda, &mu));
  PetscCall(BLPGetSmoothness(c->blp, c->lambda, &L));
  CHECK(mu.standing == TWOFOLD_PROVED && L.standing == TWOFOLD_PROVED, "%s: standing", c->s.name);
  CHECK(mu.value == c->s.beta && mu.value <= e[0] + 1e-14 * e[n - 1], "%s: mu %g, least eigenvalue %g",
        c->s.name, mu.value, e[0]);
  CHECK(L.value >= e[n - 1] * (1 - 1e-14) && L.value <= 3 * e[n - 1], "%s: L %g, largest eigenvalue %g",
        c->s.name, L.value, e[n - 1]);
  PetscCall(PetscFree2(H, e));
  PetscFunctionReturn(0);
}

/* w' = w + a step along a direction of this seed, or along (1, .., 1): the worst for entries of one sign. */
static PetscErrorCode Move(const Case *c, PetscInt64 seed, PetscReal distance, Vec moved)
{
  PetscReal norm;

  PetscFunctionBegin;
  PetscCall(VecSet(moved, 1));
  if (seed) PetscCall(TwofoldVecSetRandomNormal(moved, seed));
  PetscCall(VecNorm(moved, NORM_2, &norm));
  PetscCall(VecAYPX(moved, distance / norm, c->w));
  PetscFunctionReturn(0);
}

/* Over random pairs in the ball no quotient is above its constant; and constants are not vacuous: L_Phi at
   the centre and eta1 are what they bound, nu2 and eta2 are within 3 and 100 of a quotient. */
static PetscErrorCode Lipschitz(Case *c, PetscReal radius)
{
  const PetscInt n = c->s.n[0], m = c->s.n[1];
  BLPLipschitz bound, centre;
  PetscReal *a, *b, *K, norm, most[2] = {0, 0}, E;
  Vec v[2], g1[2], g2[2];

  PetscFunctionBegin;
  PetscCall(PetscMalloc3(n, &a, n, &b, m * n, &K));
  for (int i = 0; i < 2; i++) {
    PetscCall(VecDuplicate(c->w, &v[i]));
    PetscCall(VecDuplicate(c->w, &g1[i]));
    PetscCall(VecDuplicate(c->lambda, &g2[i]));
  }
  PetscCall(BLPGetLipschitz(c->blp, PETSC_FALSE, c->lambda, c->w, 0, &centre));
  PetscCall(BLPGetLipschitz(c->blp, PETSC_FALSE, c->lambda, c->w, radius, &bound));
  CHECK(bound.nu1.value == 0 && bound.nu2.value == centre.nu2.value && bound.eta1.value == centre.eta1.value,
        "%s: constants of the whole space depend on the ball", c->s.name);
  PetscCall(CrossNorm(c, c->at, &norm));
  CHECK(PetscAbsReal(centre.L_Phi.value - norm) <= 1e-12 * norm, "%s: L_Phi %.15g at the centre, norm %.15g",
        c->s.name, centre.L_Phi.value, norm);
  for (PetscInt i = 0; i < m * n; i++) K[i] = (PetscReal)c->K[1][i];
  PetscCall(Norm(m, n, K, &norm));
  CHECK(bound.eta1.value >= norm * norm * (1 - 1e-13) && bound.eta1.value <= 1.1 * norm * norm + 1e-300,
        "%s: eta1 %g, ||K'||^2 %g", c->s.name, bound.eta1.value, norm * norm);
  for (PetscInt64 pair = 0; pair < 12; pair++) {
    PetscReal distance, change;
    PetscCall(Move(c, 2 * pair, radius, v[0]));
    PetscCall(Move(c, 2 * pair + 1, pair % 3 ? -radius / 2 : radius, v[1]));
    for (int i = 0; i < 2; i++) PetscCall(BLPUpper(c->blp, c->lambda, v[i], &E, g1[i], g2[i]));
    PetscCall(VecGather(v[0], a));
    PetscCall(CrossNorm(c, a, &norm));
    CHECK(norm <= bound.L_Phi.value * (1 + 1e-12), "%s: norm %g above L_Phi %g", c->s.name, norm,
          bound.L_Phi.value);
    PetscCall(VecGather(v[1], b));
    for (PetscInt i = 0; i < n; i++) a[i] -= b[i];
    PetscCall(CrossNorm(c, a, &norm));
    PetscCall(VecAXPY(v[0], -1, v[1]));
    PetscCall(VecNorm(v[0], NORM_2, &distance));
    most[0] = PetscMax(most[0], norm / distance);
    PetscCall(VecAXPY(g1[0], -1, g1[1]));
    PetscCall(VecNorm(g1[0], NORM_2, &change));
    CHECK(change <= bound.eta1.value * distance * (1 + 1e-12), "%s: grad1 E: %g above eta1 %g", c->s.name,
          change / distance, bound.eta1.value);
    PetscCall(VecAXPY(g2[0], -1, g2[1]));
    PetscCall(VecNorm(g2[0], NORM_2, &change));
    most[1] = PetscMax(most[1], change / distance);
  }
  CHECK(most[0] <= bound.nu2.value * (1 + 1e-12) && bound.nu2.value <= 3 * most[0], "%s: nu2 %g, quotient %g",
        c->s.name, bound.nu2.value, most[0]);
  CHECK(most[1] <= bound.eta2.value * (1 + 1e-12) && bound.eta2.value <= 100 * most[1] + 1e-300,
        "%s: eta2 %g, quotient %g", c->s.name, bound.eta2.value, most[1]);
  for (int i = 0; i < 2; i++) {
    PetscCall(VecDestroy(&v[i]));
    PetscCall(VecDestroy(&g1[i]));
    PetscCall(VecDestroy(&g2[i]));
  }
  PetscCall(PetscFree3(a, b, K));
  PetscFunctionReturn(0);
}

/* Gradients of mu and L against central differences, with parameters raw and exp. */
static PetscErrorCode ConstantGradients(const Spec *s, PetscBool raw)
{
  typedef PetscErrorCode (*Value)(BLP, Vec, TwofoldConstant *);
  typedef PetscErrorCode (*Slope)(BLP, Vec, Vec);
  const Value value[2] = {BLPGetStrongConvexity, BLPGetSmoothness};
  const Slope gradient[2] = {BLPGetStrongConvexityGradient, BLPGetSmoothnessGradient};
  BLP blp;
  Vec lambda, at, g, u;

  PetscFunctionBegin;
  PetscCall(MakeProblem(s, raw ? "-blp_krr_parameters raw" : "", &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &at));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(VecDuplicate(lambda, &u));
  PetscCall(SetLambda(s, raw, lambda));
  PetscCall(TwofoldVecSetRandomNormal(u, 7));
  if (raw) PetscCall(VecPointwiseMult(u, u, lambda));
  for (int i = 0; i < 2; i++) {
    const PetscReal h = 1e-5;
    TwofoldConstant up, down;
    PetscReal slope;
    PetscCall(gradient[i](blp, lambda, g));
    PetscCall(VecDot(g, u, &slope));
    PetscCall(VecWAXPY(at, h, u, lambda));
    PetscCall(value[i](blp, at, &up));
    PetscCall(VecWAXPY(at, -h, u, lambda));
    PetscCall(value[i](blp, at, &down));
    const PetscReal difference = (up.value - down.value) / (2 * h);
    CHECK(PetscAbsReal(difference - slope) <= 1e-8 * PetscAbsReal(up.value),
          "%s of %s: slope %g instead of %g", i ? "L" : "mu", s->name, slope, difference);
  }
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&at));
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&u));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ lambda */

/* Hypergradients at matching points: g_exp = g_raw * (beta, gamma). */
static PetscErrorCode RawAndExp(const Spec *s)
{
  const char how[] = "-hg_type aid -lls_max_it 20 -lls_fpm_step optimal -hg_ksp_max_it 3 -hg_ksp_rtol 0";
  PetscReal f[2], difference;
  BLP blp[2];
  Vec lambda[2], g[2];

  PetscFunctionBegin;
  for (int raw = 0; raw < 2; raw++) {
    HG hg;
    PetscCall(MakeProblem(s, raw ? "-blp_krr_parameters raw" : "-blp_krr_parameters exp", &blp[raw]));
    PetscCall(BLPCreateVecs(blp[raw], &lambda[raw], NULL));
    PetscCall(VecDuplicate(lambda[raw], &g[raw]));
    PetscCall(SetLambda(s, raw ? PETSC_TRUE : PETSC_FALSE, lambda[raw]));
    PetscCall(HGMake(blp[raw], NULL, how, &hg));
    PetscCall(HGSolve(hg, lambda[raw], &f[raw], g[raw]));
    PetscCall(HGDestroy(&hg));
  }
  CHECK_CLOSE(f[0], f[1], 1e-12, s->name);
  PetscCall(VecPointwiseMult(g[1], g[1], lambda[1]));
  PetscCall(RelativeDifference(g[1], g[0], &difference));
  CHECK(difference <= 1e-11, "%s: hypergradients of raw and exp parameters differ by %g", s->name,
        difference);
  for (int raw = 0; raw < 2; raw++) {
    PetscCall(VecDestroy(&lambda[raw]));
    PetscCall(VecDestroy(&g[raw]));
    PetscCall(BLPDestroy(&blp[raw]));
  }
  PetscFunctionReturn(0);
}

/* Products at a point are right after evaluations at another lambda, and where a lambda changed on one rank
   alone (which a program must not do, but then it must not hang). */
static PetscErrorCode OtherLambda(Case *c)
{
  PetscMPIInt rank;
  PetscReal E, difference;
  Vec other, before, after, gradient;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(c->lambda, &other));
  PetscCall(VecDuplicate(c->w, &before));
  PetscCall(VecDuplicate(c->w, &after));
  PetscCall(VecDuplicate(c->lambda, &gradient));
  PetscCall(VecCopy(c->lambda, other));
  PetscCall(VecScale(other, 1.5));
  PetscCall(BLPLossLinearize(c->blp, c->lambda, c->w));
  PetscCall(BLPLossHessianMult(c->blp, c->v, before));
  PetscCall(BLPLossCrossMultTranspose(c->blp, c->v, c->g));
  PetscCall(BLPUpper(c->blp, other, c->v, &E, NULL, NULL));
  PetscCall(BLPLossGradient(c->blp, other, c->v, NULL, c->y));
  PetscCall(BLPLossHessianMult(c->blp, c->v, after));
  PetscCall(RelativeDifference(after, before, &difference));
  CHECK(difference == 0, "%s: Hessian product at the point: %g", c->s.name, difference);
  PetscCall(BLPLossGradient(c->blp, other, c->v, NULL, c->y));
  PetscCall(BLPLossCrossMultTranspose(c->blp, c->v, gradient));
  PetscCall(RelativeDifference(gradient, c->g, &difference));
  CHECK(difference == 0, "%s: cross product at the point: %g", c->s.name, difference);
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  if (!rank) {
    PetscScalar *a;
    PetscCall(VecGetArray(c->lambda, &a));
    PetscCall(VecRestoreArray(c->lambda, &a));
  }
  PetscCall(BLPLossLinearize(c->blp, c->lambda, c->w));
  PetscCall(BLPLossHessianMult(c->blp, c->v, after));
  PetscCall(RelativeDifference(after, before, &difference));
  CHECK(difference == 0, "%s: Hessian product after a change on rank 0: %g", c->s.name, difference);
  PetscCall(VecDestroy(&other));
  PetscCall(VecDestroy(&before));
  PetscCall(VecDestroy(&after));
  PetscCall(VecDestroy(&gradient));
  PetscFunctionReturn(0);
}

/* Values that are not positive, or not numbers, in any entry. */
static PetscErrorCode Refusals(Case *c)
{
  const PetscReal bad[] = {NAN, 0, -1};
  PetscReal *all, E;
  Vec lambda;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(c->s.p + 1, &all));
  PetscCall(VecDuplicate(c->lambda, &lambda));
  for (int b = 0; b < 3; b++) {
    for (PetscInt k = 0; k <= c->s.p; k += c->s.p) {
      PetscCall(VecGather(c->lambda, all));
      all[k] = bad[b];
      PetscCall(VecFill(lambda, all));
      CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, BLPUpper(c->blp, lambda, c->w, &E, NULL, NULL));
      CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, BLPLossGradient(c->blp, lambda, c->w, NULL, c->y));
    }
  }
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "a gamma, is -1", BLPLossGradient(c->blp, lambda, c->w, NULL, c->y));
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "use -blp_krr_parameters exp",
             BLPLossGradient(c->blp, lambda, c->w, NULL, c->y));
  PetscCall(BLPLossGradient(c->blp, c->lambda, c->w, NULL, c->y)); /* and goes on */
  PetscCall(VecDestroy(&lambda));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* beta = 1, gamma = 1 / p, or their logarithms. */
static PetscErrorCode Start(const Spec *s, PetscBool raw)
{
  PetscReal *all;
  BLP blp;
  Vec lambda;

  PetscFunctionBegin;
  PetscCall(MakeProblem(s, raw ? "-blp_krr_parameters raw" : "", &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(BLPGetStart(blp, lambda));
  PetscCall(PetscMalloc1(s->p + 1, &all));
  PetscCall(VecGather(lambda, all));
  for (PetscInt k = 0; k <= s->p; k++) {
    const PetscReal value = raw ? all[k] : PetscExpReal(all[k]);
    CHECK_CLOSE(value, k ? 1 / (PetscReal)s->p : 1, 1e-15, "start");
  }
  PetscCall(PetscFree(all));
  PetscCall(VecDestroy(&lambda));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* exp of a finite number is positive, also where it underflows: a run that gets there goes on. */
static PetscErrorCode Underflow(const Spec *s)
{
  TwofoldConstant mu;
  PetscReal E;
  BLP blp;
  Vec lambda, w;

  PetscFunctionBegin;
  PetscCall(MakeProblem(s, "", &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, &w));
  PetscCall(VecSet(lambda, -1000));
  PetscCall(BLPGetStrongConvexity(blp, lambda, &mu));
  CHECK(mu.value > 0, "mu of exp(-1000): %g", mu.value);
  PetscCall(BLPUpper(blp, lambda, w, &E, NULL, NULL));
  CHECK(!PetscIsInfOrNanReal(E), "E at exp(-1000): %g", E);
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* The kernels that are held are told. */
static PetscErrorCode Memory(const Spec *s)
{
  PetscLogDouble before, after;
  PetscInt nlocal, mlocal = PETSC_DECIDE, m = s->n[1];
  PetscReal E;
  BLP blp;
  Vec lambda, w;

  PetscFunctionBegin;
  PetscCall(MakeProblem(s, "", &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, &w));
  PetscCall(VecGetLocalSize(w, &nlocal));
  PetscCall(PetscSplitOwnership(TEST_COMM, &mlocal, &m));
  PetscCall(BLPGetMemory(blp, &before));
  PetscCall(BLPUpper(blp, lambda, w, &E, NULL, NULL));
  PetscCall(BLPLossLinearize(blp, lambda, w));
  PetscCall(BLPGetMemory(blp, &after));
  CHECK(after - before == 8.0 * (double)(nlocal + mlocal) * (double)s->n[0], "%g bytes of kernels",
        after - before);
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Spec specs[] = {
      {"plain", {13, 11}, 5, 0, 0, 0.1, 0.5},
      {"pieces", {300, 9}, 2, 0, 0, 0.3, 0.5}, /* a rank has more columns than a piece */
      {"twins", {14, 8}, 3, 0, 1e-9, 0.3, 1e-3},
      {"equal", {6, 4}, 3, 0, 1e-300, 0.3, 1e-3}, /* a kernel that is singular */
      {"far", {12, 9}, 3, 1e4, 0, 0.2, 0.1},
      {"narrow", {12, 9}, 3, 0, 0, 20, 0.1},
      {"wide", {12, 9}, 3, 0, 0, 1e-8, 0.1},
      {"one feature", {9, 6}, 1, 0, 0, 1, 0.1},
      {"one sample", {1, 3}, 2, 0, 0, 0.5, 0.1},
      {"two samples", {2, 1}, 4, 0, 0, 0.1, 2},
  };

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
    const Spec *const s = &specs[i];
    Case c;
    PetscCall(CaseCreate(s, &c));
    PetscCall(GammaGradients(&c));
    PetscCall(Upper(&c));
    if (s->n[0] < 100) {
      PetscCall(Kernels(&c));
      PetscCall(Convexity(&c));
      PetscCall(Lipschitz(&c, 0.3));
      PetscCall(Lipschitz(&c, 100));
      PetscCall(OtherLambda(&c));
      PetscCall(Refusals(&c));
    }
    PetscCall(CaseDestroy(&c));
    PetscCall(ConstantGradients(s, PETSC_TRUE));
    PetscCall(ConstantGradients(s, PETSC_FALSE));
    PetscCall(RawAndExp(s));
    PetscCall(Start(s, PETSC_TRUE));
    PetscCall(Start(s, PETSC_FALSE));
    PetscCall(Underflow(s));
    PetscCall(Memory(s));
  }
  PetscCall(TestFinalize());
  return 0;
}
