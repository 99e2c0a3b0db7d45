/* Constants and rates: eigenvalues, norms and radii by SLEPc against LAPACK on dense matrices, formulas of
   rates against the roots of the matrices themselves, optimal steps against a scan, and what LLS, HG and the
   test of the hypergradient make of them. */
#include "dense.h"
#include <petscblaslapack.h>
#include <petscviewerhdf5.h>
#include <twofold/bound.h>

static const TwofoldSpectral tight = {.tol = 1e-12, .max_products = 400, .seed = 3};
static const TwofoldSpectral norms = {.tol = 1e-8, .max_products = 400, .seed = 3};

typedef struct {
  Synthetic s;
  BLP blp;
  Dense *dense;
  Vec lambda, w;
  PetscReal *l, *at, *H, *e; /* Hessian and its eigenvalues, increasing */
  PetscInt nw;
} Case;

static PetscErrorCode CaseCreate(const Synthetic *s, PetscReal spread, Case *k)
{
  PetscFunctionBegin;
  k->s = *s;
  PetscCall(SyntheticProblem(TEST_COMM, BLPSOFTMAX, s, &k->blp));
  PetscCall(DenseCreate(BLPSOFTMAX, s, &k->dense));
  k->nw = k->dense->nw;
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, &k->w));
  PetscCall(SyntheticLambda(k->blp, s, 10, spread, 0, k->lambda));
  PetscCall(TwofoldVecSetRandomNormal(k->w, 20));
  PetscCall(PetscMalloc4(s->p, &k->l, k->nw, &k->at, k->nw * k->nw, &k->H, k->nw, &k->e));
  PetscCall(VecGather(k->lambda, k->l));
  PetscCall(VecGather(k->w, k->at));
  DenseHessian(k->dense, k->l, k->at, k->H);
  PetscCall(DenseEigenvalues(k->nw, k->H, k->e));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(PetscFree4(k->l, k->at, k->H, k->e));
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(VecDestroy(&k->w));
  PetscCall(DenseDestroy(&k->dense));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ LAPACK */

/* Largest singular value of an m x n matrix, row by row. */
static PetscErrorCode DenseNorm(PetscInt m, PetscInt n, const PetscReal A[], PetscReal *norm)
{
  PetscBLASInt rows, columns, lwork, info, one = 1;
  PetscReal *copy, *sigma, *work;

  PetscFunctionBegin;
  PetscCall(PetscBLASIntCast(n, &rows)); /* read by columns it is the transpose */
  PetscCall(PetscBLASIntCast(m, &columns));
  lwork = 5 * (rows + columns);
  PetscCall(PetscMalloc3(m * n, &copy, PetscMin(m, n), &sigma, lwork, &work));
  PetscCall(PetscArraycpy(copy, A, m * n));
  LAPACKgesvd_("N", "N", &rows, &columns, copy, &rows, sigma, NULL, &one, NULL, &one, work, &lwork, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "gesvd: info %d", (int)info);
  *norm = sigma[0];
  PetscCall(PetscFree3(copy, sigma, work));
  PetscFunctionReturn(0);
}

/* Largest modulus of the eigenvalues of an n x n matrix. */
static PetscErrorCode DenseRadius(PetscInt n, const PetscReal A[], PetscReal *radius)
{
  PetscBLASInt m, lwork, info, one = 1;
  PetscReal *copy, *re, *im, *work;

  PetscFunctionBegin;
  PetscCall(PetscBLASIntCast(n, &m));
  lwork = 8 * m;
  PetscCall(PetscMalloc4(n * n, &copy, n, &re, n, &im, lwork, &work));
  PetscCall(PetscArraycpy(copy, A, n * n));
  LAPACKgeev_("N", "N", &m, copy, &m, re, im, NULL, &one, NULL, &one, work, &lwork, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "geev: info %d", (int)info);
  *radius = 0;
  for (PetscInt i = 0; i < n; i++) *radius = PetscMax(*radius, hypot(re[i], im[i]));
  PetscCall(PetscFree4(copy, re, im, work));
  PetscFunctionReturn(0);
}

/* d1Phi of the three methods for a Hessian, built from its blocks; n is its size. */
static PetscErrorCode DenseMethod(FPMMethod method, PetscReal alpha, PetscReal beta, PetscInt nw,
                                  const PetscReal H[], PetscInt *n, PetscReal J[])
{
  const PetscInt size = method == FPM_METHOD_GD ? nw : 2 * nw;

  PetscFunctionBegin;
  *n = size;
  PetscCall(PetscArrayzero(J, size * size));
  for (PetscInt i = 0; i < nw; i++) {
    for (PetscInt j = 0; j < nw; j++) {
      const PetscReal unit = i == j ? 1 : 0, A = unit - alpha * H[i * nw + j];
      J[i * size + j] = A;
      if (method == FPM_METHOD_HEAVYBALL) {
        J[i * size + j] = A + beta * unit;
        J[i * size + nw + j] = -beta * unit;
      } else if (method == FPM_METHOD_NESTEROV) {
        J[i * size + j] = (1 + beta) * A;
        J[i * size + nw + j] = -beta * A;
      }
    }
    if (size > nw) J[(nw + i) * size + i] = 1;
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ the Hessian and X */

static PetscErrorCode TestHessian(const Case *k)
{
  const PetscReal high = k->e[k->nw - 1], low = k->e[0];
  TwofoldConstant L, mu, formula;
  PetscBool accurate;

  PetscFunctionBegin;
  PetscCall(BoundHessian(k->blp, k->lambda, k->w, &tight, &L, &mu));
  CHECK_CLOSE(L.value, high, 1e-8, "L");
  CHECK(PetscAbsReal(mu.value - low) <= 1e-10 * high, "mu %g against %g", (double)mu.value, (double)low);
  CHECK(L.standing == TWOFOLD_COMPUTED && mu.standing == TWOFOLD_COMPUTED, "standing");
  CHECK(PetscAbsReal(L.value - high) <= L.error + 1e-13 * high, "L is off by more than its error");
  CHECK(PetscAbsReal(mu.value - low) <= mu.error + 1e-13 * high, "mu is off by more than its error");
  CHECK(L.products > 1 && mu.products > 1, "products are counted");
  PetscCall(BoundIsAccurate(&L, L.value, &tight, &accurate));
  CHECK(accurate, "L: error %g", (double)L.error);
  PetscCall(BoundIsAccurate(&mu, L.value, &tight, &accurate));
  CHECK(accurate, "mu: error %g", (double)mu.error);
  PetscCall(BLPGetSmoothness(k->blp, k->lambda, &formula));
  CHECK(formula.standing == TWOFOLD_PROVED && formula.value >= high, "the formula's L %g is below %g",
        (double)formula.value, (double)high);
  PetscCall(BLPGetStrongConvexity(k->blp, k->lambda, &formula));
  CHECK(formula.value <= low + 1e-13 * high, "the formula's mu %g is above %g", (double)formula.value,
        (double)low);
  PetscFunctionReturn(0);
}

/* Too few products: what there is, from inside, and that it is not accurate. */
static PetscErrorCode TestLimit(const Case *k)
{
  const TwofoldSpectral few = {.tol = 1e-14, .max_products = 2, .seed = 3, .prefix = "few_"};
  const PetscReal high = k->e[k->nw - 1], low = k->e[0];
  TwofoldConstant L, mu;
  PetscBool accurate;
  PetscOptions options;

  PetscFunctionBegin;
  PetscCall(OptionsUse("-few_eps_ncv 3 -few_eps_mpd 3", &options));
  PetscCall(BoundHessian(k->blp, k->lambda, k->w, &few, &L, &mu));
  PetscCall(OptionsDrop(&options));
  CHECK(L.products <= 8 && mu.products <= 8, "%d and %d products", (int)L.products, (int)mu.products);
  CHECK(L.value < high && mu.value > low, "Ritz values lie inside");
  PetscCall(BoundIsAccurate(&L, L.value, &few, &accurate));
  CHECK(!accurate, "L: error %g", (double)L.error);
  CHECK_RAISES(
      PETSC_ERR_ARG_OUTOFRANGE,
      BoundHessian(k->blp, k->lambda, k->w, &(TwofoldSpectral){.tol = 0, .max_products = 1}, &L, &mu));
  CHECK_RAISES(
      PETSC_ERR_ARG_OUTOFRANGE,
      BoundHessian(k->blp, k->lambda, k->w, &(TwofoldSpectral){.tol = 1e-3, .max_products = 0}, &L, &mu));
  PetscFunctionReturn(0);
}

/* ||X|| is in L's formula: n 2 (L - max exp(lambda) / (c p)) = ||X||^2. */
static PetscErrorCode TestNorm(const Case *k)
{
  const Dense *d = k->dense;
  TwofoldConstant L, norm;
  PetscReal expected = 0, highest = -PETSC_MAX_REAL;
  FeatureMat X;
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(DenseNorm(d->n[0], d->rows, d->X[0], &expected));
  PetscCall(SyntheticDataSet(TEST_COMM, &k->s, 0, &ds));
  PetscCall(FeatureMatCreate(TEST_COMM, &X));
  PetscCall(FeatureMatSetType(X, FEATUREMATREFERENCE));
  CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, FeatureMatGetNorm(X, &norm));
  PetscCall(FeatureMatSetData(X, ds, k->s.c, k->s.bias));
  PetscCall(FeatureMatGetNorm(X, &norm));
  CHECK_CLOSE(norm.value, expected, 1e-10, "||X||");
  CHECK(norm.value >= expected * (1 - 1e-14) && norm.error <= 1e-10 * expected, "||X|| is no upper bound");
  PetscCall(FeatureMatDestroy(&X));
  PetscCall(DataSetDestroy(&ds));
  for (PetscInt j = 0; j < d->p; j++) highest = PetscMax(highest, k->l[j]);
  PetscCall(BLPGetSmoothness(k->blp, k->lambda, &L));
  CHECK_CLOSE(L.value,
              expected * expected / (2.0 * d->n[0]) + PetscExpReal(highest) / (PetscReal)(d->c * d->p), 1e-10,
              "the formula's L");
  PetscFunctionReturn(0);
}

/* No feature in any training sample: X is 0. */
static PetscErrorCode TestEmpty(void)
{
  const Synthetic s = {.n = {5, 3, 0}, .p = 4, .c = 2, .density = 0, .seed = 1};
  TwofoldConstant L, mu;
  Vec lambda, w;
  BLP blp;

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, BLPSOFTMAX, &s, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, &w));
  PetscCall(VecZeroEntries(lambda));
  PetscCall(VecZeroEntries(w));
  PetscCall(BLPGetSmoothness(blp, lambda, &L));
  CHECK_CLOSE(L.value, 1.0 / 8, 1e-15, "L without data");
  PetscCall(BoundHessian(blp, lambda, w, NULL, &L, &mu));
  CHECK_CLOSE(L.value, 1.0 / 8, 1e-14, "computed L without data");
  CHECK_CLOSE(mu.value, 1.0 / 8, 1e-14, "computed mu without data");
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ maps */

static PetscErrorCode MapCreate(const Case *k, FPMType type, PetscReal alpha, PetscReal beta, FPM *fpm,
                                State *x)
{
  PetscFunctionBegin;
  PetscCall(FPMCreate(TEST_COMM, fpm));
  PetscCall(FPMSetBLP(*fpm, k->blp));
  PetscCall(FPMSetType(*fpm, type));
  PetscCall(FPMSetStep(*fpm, alpha));
  PetscCall(FPMSetMomentum(*fpm, beta));
  PetscCall(FPMCreateState(*fpm, x));
  for (PetscInt i = 0; i < (*x)->n; i++) PetscCall(VecCopy(k->w, (*x)->v[i]));
  PetscFunctionReturn(0);
}

/* The formula of a map's rate against LAPACK's radius of the whole matrix. */
static PetscErrorCode TestRate(const Case *k, FPMMethod method, PetscReal alpha, PetscReal beta,
                               PetscReal tol)
{
  const TwofoldConstant low = {.value = k->e[0], .standing = TWOFOLD_COMPUTED},
                        high = {.value = k->e[k->nw - 1], .standing = TWOFOLD_PROVED};
  TwofoldConstant formula;
  PetscReal *J, expected = 0;
  PetscInt n = 0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(4 * k->nw * k->nw, &J));
  PetscCall(DenseMethod(method, alpha, beta, k->nw, k->H, &n, J));
  PetscCall(DenseRadius(n, J, &expected));
  PetscCall(BoundSpectralRadius(method, alpha, beta, &low, &high, &formula));
  CHECK_CLOSE(formula.value, expected, tol, "spectral radius by formula");
  CHECK(formula.standing == TWOFOLD_COMPUTED && formula.error == 0, "the weaker standing");
  PetscCall(PetscFree(J));
  PetscFunctionReturn(0);
}

/* Norms and radius of a map at (w, ..., w) by SLEPc. The radius of a defective matrix is known to 1e-6. */
static PetscErrorCode TestMap(const Case *k, FPMType type, PetscReal alpha, PetscReal beta, PetscReal tol)
{
  PetscReal *J, *C, norm[2] = {0, 0}, expected = 0, beta_used;
  TwofoldConstant d1, d2, radius;
  PetscOptions options;
  FPMMethod method;
  PetscInt n = 0;
  State x;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(MapCreate(k, type, alpha, beta, &fpm, &x));
  PetscCall(FPMGetMethod(fpm, &method));
  PetscCall(FPMGetMomentum(fpm, &beta_used));
  CHECK(method != FPM_METHOD_OTHER && beta_used == (method == FPM_METHOD_GD ? 0 : beta), "%s", type);
  PetscCall(PetscMalloc2(4 * k->nw * k->nw, &J, k->nw * k->s.p, &C));
  PetscCall(DenseMethod(method, alpha, beta, k->nw, k->H, &n, J));
  DenseCross(k->dense, k->l, k->at, C);
  PetscCall(DenseNorm(n, n, J, &norm[0]));
  PetscCall(DenseNorm(k->nw, k->s.p, C, &norm[1]));
  PetscCall(DenseRadius(n, J, &expected));

  PetscCall(BoundMapNorm(fpm, k->lambda, x, &norms, &d1));
  PetscCall(BoundParameterNorm(fpm, k->lambda, x, &norms, &d2));
  CHECK_CLOSE(d1.value, norm[0], 1e-8, "||d1Phi||");
  CHECK_CLOSE(d2.value, alpha * norm[1], 1e-8, "||d2Phi||");
  TwofoldSpectral restarted = norms; /* so that products overwrite what there was */
  restarted.prefix = "few_";
  PetscCall(OptionsUse("-few_svd_ncv 3", &options));
  PetscCall(BoundParameterNorm(fpm, k->lambda, x, &restarted, &d2));
  PetscCall(OptionsDrop(&options));
  CHECK_CLOSE(d2.value, alpha * norm[1], 1e-8, "||d2Phi|| with restarts");
  CHECK(d1.standing == TWOFOLD_COMPUTED && d1.products > 2 && d1.error <= 1e-8 * d1.value,
        "||d1Phi||: error %g", (double)d1.error);
  PetscCall(BoundMapRadius(fpm, k->lambda, x, &tight, &radius));
  CHECK_CLOSE(radius.value, expected, tol, "spectral radius by SLEPc");
  if (method == FPM_METHOD_GD) CHECK_CLOSE(d1.value, expected, 1e-8, "q of gd is its norm");

  PetscCall(StateZero(x)); /* nothing to regularise */
  PetscCall(BoundParameterNorm(fpm, k->lambda, x, &norms, &d2));
  CHECK(d2.value == 0 && d2.error == 0, "||d2Phi|| at w = 0 is %g", (double)d2.value);
  PetscCall(PetscFree2(J, C));
  PetscCall(StateDestroy(&x));
  PetscCall(FPMDestroy(&fpm));
  PetscFunctionReturn(0);
}

static PetscErrorCode TestMaps(const Case *k)
{
  const PetscReal L = k->e[k->nw - 1], mu = k->e[0];
  const struct {
    FPMType type;
    FPMMethod method;
  } maps[] = {
      {FPMGD, FPM_METHOD_GD}, {FPMHEAVYBALL, FPM_METHOD_HEAVYBALL}, {FPMNESTEROV, FPM_METHOD_NESTEROV}};
  PetscReal alpha, beta;

  PetscFunctionBegin;
  for (int m = 0; m < 3; m++) {
    PetscCall(TestRate(k, maps[m].method, 2.7 / L, 0.2, 1e-8)); /* L's end decides, roots are real */
    PetscCall(TestRate(k, maps[m].method, 0.3 / L, 0.4, 1e-6)); /* mu's end; complex roots, too */
    PetscCall(TestMap(k, maps[m].type, 2.7 / L, 0.2, 1e-8));
    PetscCall(TestMap(k, maps[m].type, 0.3 / L, 0.4, 1e-6));
    if (mu <= 1e-10 * L) continue; /* with a bias */
    PetscCall(FPMOptimalConstants(maps[m].method, mu, L, &alpha, &beta));
    PetscCall(TestRate(k, maps[m].method, alpha, beta, 1e-6));
    PetscCall(TestMap(k, maps[m].type, alpha, beta, 1e-6));
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ formulas */

static PetscErrorCode Radius(FPMMethod method, PetscReal alpha, PetscReal beta, PetscReal mu, PetscReal L,
                             PetscReal *radius)
{
  const TwofoldConstant low = {.value = mu, .standing = TWOFOLD_PROVED},
                        high = {.value = L, .standing = TWOFOLD_PROVED};
  TwofoldConstant c;

  PetscFunctionBegin;
  PetscCall(BoundSpectralRadius(method, alpha, beta, &low, &high, &c));
  *radius = c.standing == TWOFOLD_PROVED && c.error == 0 ? c.value : NAN;
  PetscFunctionReturn(0);
}

/* The largest modulus over [mu, L] is at an end, for steps and momenta of all kinds: complex roots inside,
   real ones outside, and the other way round. */
static PetscErrorCode TestEnds(FPMMethod method)
{
  const PetscReal mu = 0.07, L = 3;
  PetscReal ends = NAN, inside = NAN;
  PetscInt checked = 0, wrong = 0; /* a check is collective: not one each */

  PetscFunctionBegin;
  for (int a = 1; a <= 40; a++) {
    for (int b = 0; b < 20; b++) {
      const PetscReal alpha = a * 0.04, beta = b * 0.05;
      PetscCall(Radius(method, alpha, beta, mu, L, &ends));
      for (int i = 0; i <= 100; i++) {
        PetscCall(BoundRootModulus(method, alpha, beta, mu + i * (L - mu) / 100, &inside));
        checked++;
        if (!(inside <= ends * (1 + 1e-14))) wrong++; /* nor NaN */
      }
    }
  }
  CHECK(checked == 40 * 20 * 101 && wrong == 0, "method %d: %d of %d are larger inside", (int)method,
        (int)wrong, (int)checked);
  PetscFunctionReturn(0);
}

/* No step and momentum does better (for Nesterov's method, no momentum with its step 1/L); `rate` is known.
 */
static PetscErrorCode TestOptimal(FPMMethod method, PetscReal mu, PetscReal L, PetscReal rate)
{
  const PetscBool fixed = (PetscBool)(method == FPM_METHOD_NESTEROV);
  PetscReal alpha, beta, best = NAN, other = NAN, least = PETSC_MAX_REAL;

  PetscFunctionBegin;
  PetscCall(FPMOptimalConstants(method, mu, L, &alpha, &beta));
  PetscCall(Radius(method, alpha, beta, mu, L, &best));
  CHECK(PetscAbsReal(best - rate) < 1e-7, "method %d: rate %.12g, not %.12g", (int)method, (double)best,
        (double)rate);
  for (int a = fixed ? 100 : 1; a <= (fixed ? 100 : 400); a++) {
    for (int b = 0; b < (method == FPM_METHOD_GD ? 1 : 200); b++) {
      const PetscReal step = a * 0.01 * (fixed ? 1 : 1.01) / L;
      PetscCall(Radius(method, step, b * 0.005, mu, L, &other));
      least = PetscMin(least, other);
    }
  }
  CHECK(least >= best - 1e-7 && least < 1, "method %d: the scan finds %.12g, less than %.12g", (int)method,
        (double)least, (double)best);
  for (int i = 1; i < 4; i++) { /* close by, in each direction: the minimum is sharp */
    for (int sign = -1; sign <= 1; sign += 2) {
      const PetscReal by = 1 + sign * PetscPowReal(10, -i);
      if (!fixed) PetscCall(Radius(method, alpha * by, beta, mu, L, &other));
      if (!fixed) CHECK(other > best, "method %d: alpha times %g is as good", (int)method, (double)by);
      if (method == FPM_METHOD_GD || beta * by >= 1) continue;
      PetscCall(Radius(method, alpha, beta * by, mu, L, &other));
      CHECK(other > best, "method %d: beta times %g is as good", (int)method, (double)by);
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode TestFormulas(void)
{
  const FPMMethod methods[] = {FPM_METHOD_GD, FPM_METHOD_HEAVYBALL, FPM_METHOD_NESTEROV};
  const TwofoldConstant L = {.value = 2, .error = 0.1, .standing = TWOFOLD_COMPUTED},
                        mu = {.value = 0.5, .error = 0.1, .standing = TWOFOLD_PROVED},
                        none = {.value = NAN, .error = NAN, .origin = "none"};
  PetscReal alpha, beta, modulus;
  TwofoldConstant c;

  PetscFunctionBegin;
  for (int m = 0; m < 3; m++) PetscCall(TestEnds(methods[m]));
  for (int i = 0; i < 3; i++) {
    const PetscReal kappa = (PetscReal[]){2, 50, 1000}[i], root = PetscSqrtReal(kappa), high = 3;
    PetscCall(TestOptimal(FPM_METHOD_GD, high / kappa, high, (kappa - 1) / (kappa + 1)));
    PetscCall(TestOptimal(FPM_METHOD_HEAVYBALL, high / kappa, high, (root - 1) / (root + 1)));
    PetscCall(TestOptimal(FPM_METHOD_NESTEROV, high / kappa, high, 1 - 1 / root));
  }
  PetscCall(FPMOptimalConstants(FPM_METHOD_GD, 0, 4, &alpha, &beta));
  CHECK(alpha == 0.25 && beta == 0, "gd without strong convexity");
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, FPMOptimalConstants(FPM_METHOD_HEAVYBALL, 0, 4, &alpha, &beta));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, FPMOptimalConstants(FPM_METHOD_GD, 5, 4, &alpha, &beta));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, FPMOptimalConstants(FPM_METHOD_GD, 0, NAN, &alpha, &beta));
  CHECK_RAISES(PETSC_ERR_SUP, FPMOptimalConstants(FPM_METHOD_OTHER, 1, 4, &alpha, &beta));
  /* standing and error go with the constants */
  PetscCall(BoundConditionNumber(&mu, &L, &c));
  CHECK_CLOSE(c.value, 4.0, 1e-15, "kappa");
  CHECK_CLOSE(c.error, 2.1 / 0.4 - 4, 1e-14, "error of kappa");
  CHECK(c.standing == TWOFOLD_COMPUTED, "standing of kappa");
  PetscCall(BoundSpectralRadius(FPM_METHOD_GD, 1, 0, &mu, &L, &c));
  CHECK_CLOSE(c.value, 1.0, 1e-15, "q");
  CHECK_CLOSE(c.error, 0.1, 1e-14, "error of q");
  PetscCall(BoundConditionNumber(&none, &L, &c));
  CHECK(c.standing == TWOFOLD_UNKNOWN && PetscIsNanReal(c.value), "kappa of an unknown mu");
  PetscCall(BoundSpectralRadius(FPM_METHOD_GD, 1, 0, &mu, &none, &c));
  CHECK(c.standing == TWOFOLD_UNKNOWN && PetscIsNanReal(c.value), "q of an unknown L");
  PetscCall(BoundSpectralRadius(FPM_METHOD_OTHER, 1, 0, &mu, &L, &c));
  CHECK(c.standing == TWOFOLD_UNKNOWN && PetscIsNanReal(c.value), "no formula");
  PetscCall(BoundConditionNumber(&(TwofoldConstant){.value = 0, .standing = TWOFOLD_PROVED}, &L, &c));
  CHECK(PetscIsInfReal(c.value), "kappa for mu = 0");
  PetscCall(BoundRootModulus(FPM_METHOD_OTHER, 1, 0, 1, &modulus));
  CHECK(PetscIsNanReal(modulus), "no root");
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ optimal steps in a run */

static PetscErrorCode LowerMap(HG hg, PetscReal *alpha, PetscReal *beta, FPM *fpm)
{
  LLS lls;

  PetscFunctionBegin;
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(LLSGetFPM(lls, fpm));
  PetscCall(FPMGetStep(*fpm, alpha));
  PetscCall(FPMGetMomentum(*fpm, beta));
  PetscFunctionReturn(0);
}

/* By the problem's formulas: at each lambda anew, unless frozen; the gradient is that of the step as a
 * number. */
static PetscErrorCode TestFormulaStep(Case *k, const char map[], FPMMethod method)
{
  TwofoldConstant L, mu;
  PetscReal alpha[3], beta[3], f[3], passed;
  char text[256];
  Vec g, g_number, shifted;
  HG hg, number;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->lambda, &g));
  PetscCall(VecDuplicate(k->lambda, &g_number));
  PetscCall(VecDuplicate(k->lambda, &shifted));
  PetscCall(VecCopy(k->lambda, shifted));
  PetscCall(VecShift(shifted, 0.7));
  PetscCall(PetscSNPrintf(text, sizeof(text),
                          "-hg_type itd -lls_max_it 6 -lls_fpm_type %s -lls_fpm_step optimal", map));
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  PetscCall(LowerMap(hg, &alpha[0], &beta[0], &fpm));
  CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, FPMFreeze(fpm, PETSC_TRUE));
  PetscCall(HGSolve(hg, k->lambda, &f[0], g));
  PetscCall(LowerMap(hg, &alpha[0], &beta[0], &fpm));
  PetscCall(BLPGetSmoothness(k->blp, k->lambda, &L));
  PetscCall(BLPGetStrongConvexity(k->blp, k->lambda, &mu));
  PetscCall(FPMOptimalConstants(method, mu.value, L.value, &alpha[1], &beta[1]));
  CHECK(alpha[0] == alpha[1] && beta[0] == beta[1], "%s: step %g and momentum %g", map, (double)alpha[0],
        (double)beta[0]);
  PetscCall(FPMGetConstants(fpm, &L, &mu));
  CHECK(L.standing == TWOFOLD_PROVED && mu.standing == TWOFOLD_PROVED, "constants in use");

  PetscCall(PetscSNPrintf(text, sizeof(text),
                          "-hg_type itd -lls_max_it 6 -lls_fpm_type %s -lls_fpm_step %.17g%s%.17g", map,
                          (double)alpha[0], " -lls_fpm_momentum ", (double)beta[0]));
  PetscCall(HGMake(k->blp, NULL, text, &number));
  PetscCall(HGSolve(number, k->lambda, &f[1], g_number));
  PetscCall(RelativeDifference(g, g_number, &passed));
  CHECK(f[0] == f[1] && passed <= 1e-14, "%s: not the run of the same numbers: %g", map, (double)passed);

  PetscCall(HGEvaluate(hg, shifted, &f[2]));
  PetscCall(LowerMap(hg, &alpha[2], &beta[2], &fpm));
  CHECK(alpha[2] < alpha[0], "%s: the step follows lambda", map);
  PetscCall(HGEvaluate(hg, k->lambda, &f[2]));
  PetscCall(FPMFreeze(fpm, PETSC_TRUE));
  PetscCall(HGEvaluate(hg, shifted, &f[2]));
  PetscCall(HGEvaluate(number, shifted, &f[1]));
  PetscCall(LowerMap(hg, &alpha[2], &beta[2], &fpm));
  CHECK(alpha[2] == alpha[0] && beta[2] == beta[0] && f[1] == f[2], "%s: frozen", map);
  PetscCall(FPMFreeze(fpm, PETSC_FALSE));
  PetscCall(HGEvaluate(hg, shifted, &f[2]));
  CHECK(f[1] != f[2], "%s: not frozen any more", map);
  CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, FPMSetConstants(fpm, &L, &mu));
  PetscCall(FPMSetStep(fpm, 0.25));
  PetscCall(HGEvaluate(hg, shifted, &f[2]));
  PetscCall(LowerMap(hg, &alpha[2], &beta[2], &fpm));
  CHECK(alpha[2] == 0.25, "%s: a number again", map);
  PetscCall(HGDestroy(&hg));
  PetscCall(HGDestroy(&number));
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&g_number));
  PetscCall(VecDestroy(&shifted));
  PetscFunctionReturn(0);
}

/* Computed: once, at the first point, for the lower level at w_0 = 0 and for the adjoint at w_t. */
static PetscErrorCode TestComputedStep(Case *k)
{
  TwofoldConstant L, mu;
  PetscReal alpha[2], beta[2], f, *H, *e, *at;
  Vec g, shifted;
  State x;
  FPM fpm;
  HG hg;

  PetscFunctionBegin;
  PetscCall(PetscCalloc3(k->nw * k->nw, &H, k->nw, &e, k->nw, &at));
  PetscCall(VecDuplicate(k->lambda, &g));
  PetscCall(VecDuplicate(k->lambda, &shifted));
  PetscCall(VecCopy(k->lambda, shifted));
  PetscCall(VecShift(shifted, 0.7));
  PetscCall(HGMake(k->blp, NULL,
                   "-hg_type aid -lls_max_it 6 -lls_fpm_type heavyball -lls_fpm_step optimal "
                   "-lls_fpm_constants computed -hg_fpm_step optimal -hg_fpm_constants computed",
                   &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, g));
  DenseHessian(k->dense, k->l, at, H);
  PetscCall(DenseEigenvalues(k->nw, H, e));
  PetscCall(FPMOptimalConstants(FPM_METHOD_HEAVYBALL, e[0], e[k->nw - 1], &alpha[1], &beta[1]));
  PetscCall(LowerMap(hg, &alpha[0], &beta[0], &fpm));
  CHECK_CLOSE(alpha[0], alpha[1], 1e-3, "step by computed constants");
  CHECK_CLOSE(beta[0], beta[1], 1e-3, "momentum by computed constants");
  PetscCall(FPMGetConstants(fpm, &L, &mu));
  CHECK_CLOSE(L.value, e[k->nw - 1], 1e-8, "L that the map got");
  CHECK(PetscAbsReal(mu.value - e[0]) <= 1e-6 * L.value, "mu that the map got");
  PetscCall(HGGetState(hg, &x));
  PetscCall(VecGather(x->v[0], at));
  DenseHessian(k->dense, k->l, at, H);
  PetscCall(DenseEigenvalues(k->nw, H, e));
  PetscCall(HGGetAdjointFPM(hg, &fpm));
  PetscCall(FPMGetConstants(fpm, &L, &mu));
  CHECK_CLOSE(L.value, e[k->nw - 1], 1e-8, "L that the adjoint's map got");

  PetscCall(HGSolve(hg, shifted, &f, g));
  PetscCall(LowerMap(hg, &alpha[1], &beta[1], &fpm));
  CHECK(alpha[0] == alpha[1] && beta[0] == beta[1], "kept from then on");
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&shifted));
  PetscCall(PetscFree3(H, e, at));
  PetscFunctionReturn(0);
}

/* What cannot be chosen is refused, and says by which option. */
static PetscErrorCode TestRefusals(const Case *k, const Case *biased)
{
  PetscReal f, alpha, beta;
  PetscBool needs;
  PetscOptions options;
  State x;
  Vec g;
  FPM fpm;
  HG hg;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(biased->lambda, &g));
  PetscCall(HGMake(biased->blp, NULL, "-lls_max_it 2 -lls_fpm_type heavyball -lls_fpm_step optimal", &hg));
  CHECK_RAISES(PETSC_ERR_ARG_WRONG, HGSolve(hg, biased->lambda, &f, g)); /* mu = 0 */
  PetscCall(HGDestroy(&hg));
  PetscCall(HGMake(biased->blp, NULL,
                   "-lls_max_it 2 -lls_fpm_type heavyball -lls_fpm_step optimal -lls_fpm_constants computed",
                   &hg));
  CHECK_RAISES(PETSC_ERR_ARG_WRONG, HGSolve(hg, biased->lambda, &f, g));
  PetscCall(HGDestroy(&hg));
  PetscCall(HGMake(biased->blp, NULL, "-lls_max_it 2 -lls_fpm_step optimal", &hg));
  PetscCall(HGSolve(hg, biased->lambda, &f, g));
  PetscCall(LowerMap(hg, &alpha, &beta, &fpm));
  TwofoldConstant L;
  PetscCall(BLPGetSmoothness(biased->blp, biased->lambda, &L));
  CHECK_CLOSE(alpha, 1 / L.value, 1e-15, "gd with a bias");
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&g));

  PetscCall(FPMCreate(TEST_COMM, &fpm));
  PetscCall(FPMSetBLP(fpm, k->blp));
  PetscCall(OptionsUse("-fpm_type heavyball -fpm_step optimal -fpm_momentum 0.5", &options));
  CHECK_RAISES(PETSC_ERR_ARG_INCOMP, FPMSetFromOptions(fpm));
  PetscCall(OptionsDrop(&options));
  PetscCall(FPMSetOptimalStep(fpm, FPM_CONSTANTS_COMPUTED));
  CHECK_RAISES(PETSC_ERR_ARG_INCOMP, FPMSetMomentum(fpm, 0.5));
  PetscCall(FPMNeedsConstants(fpm, &needs));
  CHECK(needs, "waits for constants");
  CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, FPMPrepare(fpm, k->lambda));
  PetscCall(FPMCreateState(fpm, &x));
  CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, FPMStep(fpm, k->lambda, x, NULL));
  PetscCall(BoundProvideConstants(fpm, k->lambda, k->w, NULL));
  PetscCall(FPMPrepare(fpm, k->lambda));
  PetscCall(FPMStep(fpm, k->lambda, x, NULL));
  PetscCall(StateDestroy(&x));
  PetscCall(FPMDestroy(&fpm));
  PetscFunctionReturn(0);
}

/* A checkpoint keeps the constants of the first point. */
static PetscErrorCode TestCheckpoint(Case *k)
{
  const char options[] = "-hg_type aid -lls_max_it 3 -lls_fpm_type heavyball -lls_fpm_step optimal "
                         "-lls_fpm_constants computed -hg_fpm_step optimal -hg_fpm_constants computed";
  const char path[] = "t45-bound.h5";
  PetscReal f, alpha[2], beta[2];
  PetscMPIInt size;
  char name[64];
  PetscViewer viewer;
  Vec g, shifted;
  FPM fpm;
  HG hg;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  PetscCall(PetscSNPrintf(name, sizeof(name), "%d-%s", size, path)); /* tests run side by side */
  PetscCall(VecDuplicate(k->lambda, &g));
  PetscCall(VecDuplicate(k->lambda, &shifted));
  PetscCall(VecCopy(k->lambda, shifted));
  PetscCall(VecShift(shifted, 0.7));
  PetscCall(HGMake(k->blp, NULL, options, &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, g));
  PetscCall(LowerMap(hg, &alpha[0], &beta[0], &fpm));
  PetscCall(PetscViewerHDF5Open(TEST_COMM, name, FILE_MODE_WRITE, &viewer));
  PetscCall(HGSaveState(hg, viewer));
  PetscCall(PetscViewerDestroy(&viewer));
  PetscCall(HGDestroy(&hg));
  PetscCall(HGMake(k->blp, NULL, options, &hg));
  PetscCall(PetscViewerHDF5Open(TEST_COMM, name, FILE_MODE_READ, &viewer));
  PetscCall(HGRestoreState(hg, viewer));
  PetscCall(PetscViewerDestroy(&viewer));
  PetscCall(HGSolve(hg, shifted, &f, g));
  PetscCall(LowerMap(hg, &alpha[1], &beta[1], &fpm));
  CHECK(alpha[0] == alpha[1] && beta[0] == beta[1], "a resumed run chose another step");
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&shifted));
  PetscCallMPI(MPI_Barrier(TEST_COMM));
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  if (rank == 0) (void)remove(name);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ Lanczos values of the adjoint's CG */

static PetscErrorCode TestLanczos(Case *k)
{
  TwofoldConstant L, mu, more = {0}, less = {0};
  PetscReal f, *H, *e, *at;
  char text[160];
  State x;
  Vec g;
  HG hg;

  PetscFunctionBegin;
  PetscCall(PetscCalloc3(k->nw * k->nw, &H, k->nw, &e, k->nw, &at));
  PetscCall(VecDuplicate(k->lambda, &g));
  for (int i = 0; i < 3; i++) {
    const int steps = (int[]){0, 2, 60}[i];
    PetscCall(PetscSNPrintf(text, sizeof(text),
                            "-lls_max_it 3 -lls_fpm_step 0.3 -hg_fpm_step 0.4 -hg_lanczos -hg_ksp_rtol %s "
                            "-hg_ksp_max_it %d",
                            i < 2 ? "0" : "1e-13", steps));
    PetscCall(HGMake(k->blp, NULL, text, &hg));
    PetscCall(HGSolve(hg, k->lambda, &f, g));
    PetscCall(HGGetLanczos(hg, &L, &mu));
    PetscCall(HGGetState(hg, &x));
    PetscCall(VecGather(x->v[0], at));
    PetscCall(HGDestroy(&hg));
    if (i == 0) {
      CHECK(L.standing == TWOFOLD_UNKNOWN, "no step, no value");
      continue;
    }
    DenseHessian(k->dense, k->l, at, H);
    PetscCall(DenseEigenvalues(k->nw, H, e));
    const PetscReal high = e[k->nw - 1], low = e[0];
    CHECK(L.standing == TWOFOLD_COMPUTED && mu.standing == TWOFOLD_COMPUTED, "standing");
    CHECK(L.value <= high * (1 + 1e-12) && mu.value >= low * (1 - 1e-10), "inside: %g and %g of %g and %g",
          (double)mu.value, (double)L.value, (double)low, (double)high);
    CHECK(mu.value < L.value && L.products >= 2, "two of them");
    if (i == 1) CHECK(L.products == 2, "%d steps", (int)L.products);
    if (i == 2) CHECK_CLOSE(L.value, high, 1e-6, "the largest, after a whole solve");
    if (i == 2) CHECK(L.value >= more.value && mu.value <= less.value, "more steps see more");
    more = L;
    less = mu;
  }
  CHECK_RAISES(PETSC_ERR_SUP, HGMake(k->blp, NULL, "-hg_lanczos -hg_ksp_type gmres", &hg));
  PetscCall(VecDestroy(&g));
  PetscCall(PetscFree3(H, e, at));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Synthetic sizes[] = {
      {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1},
      {.n = {6, 5, 0}, .p = 9, .c = 2, .density = 0.5, .seed = 2}, /* p > n: mu is a weight */
      {.n = {40, 5, 0}, .p = 4, .c = 4, .density = 0.9, .bias = PETSC_TRUE, .seed = 3},
      {.n = {3, 2, 0}, .p = 1, .c = 2, .density = 1, .seed = 4},
  };
  Case k[4];

  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(TestFormulas());
  PetscCall(TestEmpty());
  for (int i = 0; i < 4; i++) {
    PetscCall(CaseCreate(&sizes[i], i == 1 ? 2 : 0.5, &k[i]));
    PetscCall(TestHessian(&k[i]));
    PetscCall(TestNorm(&k[i]));
    PetscCall(TestMaps(&k[i]));
  }
  PetscCall(TestLimit(&k[0]));
  PetscCall(TestFormulaStep(&k[0], FPMGD, FPM_METHOD_GD));
  PetscCall(TestFormulaStep(&k[0], FPMHEAVYBALL, FPM_METHOD_HEAVYBALL));
  PetscCall(TestFormulaStep(&k[0], FPMNESTEROV, FPM_METHOD_NESTEROV));
  PetscCall(TestComputedStep(&k[0]));
  PetscCall(TestRefusals(&k[0], &k[2]));
  PetscCall(TestCheckpoint(&k[0]));
  PetscCall(TestLanczos(&k[0]));
  for (int i = 0; i < 4; i++) PetscCall(CaseDestroy(&k[i]));
  PetscCall(TestFinalize());
  return 0;
}
