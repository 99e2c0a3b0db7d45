/* Learns where to smooth: a blurred, noisy signal y = K s + noise is restored by

     w(lambda) = argmin_w  1/2 ||K w - y||^2 + 1/2 sum_j exp(lambda_j) (D w)_j^2        (lower level)

   with K a blur and D the differences of neighbours, both PETSc matrices, and the weights exp(lambda_j), one
   for each difference, are chosen so that the restored signal is closest to the true one,

     f(lambda) = 1/(2n) ||w(lambda) - s||^2 + rho/(2n) ||lambda - lambda_0||^2          (upper level)

   The derivatives that Twofold asks for, with M = diag(exp(lambda)):

     grad_w l                    = K^T (K w - y) + D^T M D w
     (grad^2_ww l) v             = K^T K v + D^T M D v
     (d/dlambda grad_w l) u      = D^T M diag(u) D w
     (d/dlambda grad_w l)^T v    = M (D w * D v)                                        (* entry by entry) */
#include <twofold.h>

enum { WIDTH = 8 }; /* of the blur, to either side */

typedef struct {
  PetscInt n;
  PetscReal lambda0, rho;
  PetscReal kernel[2 * WIDTH + 1], square; /* a row of K; the sum of its squares */
  Mat K, D;
  Vec s, y;      /* true signal, what was measured of it */
  Vec weight, r; /* exp(lambda); a residual K w - y, or differences D w */
  Vec t;
} Deblur;

/* ------------------------------------------------------------------ the problem */

static PetscErrorCode Upper(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2, void *ctx)
{
  Deblur *d = (Deblur *)ctx;
  const PetscReal scale = 1 / (PetscReal)d->n;
  PetscReal fit, distance;

  PetscFunctionBegin;
  (void)blp;
  PetscCall(VecWAXPY(d->r, -1, d->s, w));
  PetscCall(VecNorm(d->r, NORM_2, &fit));
  if (g1) PetscCall(VecAXPBY(g1, scale, 0, d->r));
  PetscCall(VecCopy(lambda, d->t));
  PetscCall(VecShift(d->t, -d->lambda0));
  PetscCall(VecNorm(d->t, NORM_2, &distance));
  if (g2) PetscCall(VecAXPBY(g2, scale * d->rho, 0, d->t));
  if (E) *E = scale * (fit * fit + d->rho * distance * distance) / 2;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y = y + D^T M D v */
static PetscErrorCode AddSmoothing(Deblur *d, Vec lambda, Vec v, Vec y)
{
  PetscFunctionBegin;
  PetscCall(VecCopy(lambda, d->weight));
  PetscCall(VecExp(d->weight));
  PetscCall(MatMult(d->D, v, d->t));
  PetscCall(VecPointwiseMult(d->t, d->weight, d->t));
  PetscCall(MatMultTransposeAdd(d->D, d->t, y, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Gradient(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g, void *ctx)
{
  Deblur *d = (Deblur *)ctx;

  PetscFunctionBegin;
  (void)blp;
  PetscCall(MatMult(d->K, w, d->r));
  PetscCall(VecAXPY(d->r, -1, d->y));
  PetscCall(MatMultTranspose(d->K, d->r, g));
  PetscCall(AddSmoothing(d, lambda, w, g));
  if (l) { /* AddSmoothing() has left M D w in t */
    PetscReal fit;
    PetscScalar smooth;
    PetscCall(VecNorm(d->r, NORM_2, &fit));
    PetscCall(MatMult(d->D, w, d->r));
    PetscCall(VecDot(d->r, d->t, &smooth));
    *l = (fit * fit + smooth) / 2;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Hessian(BLP blp, Vec lambda, Vec w, Vec v, Vec y, void *ctx)
{
  Deblur *d = (Deblur *)ctx;

  PetscFunctionBegin;
  (void)blp;
  (void)w; /* the loss is quadratic */
  PetscCall(MatMult(d->K, v, d->r));
  PetscCall(MatMultTranspose(d->K, d->r, y));
  PetscCall(AddSmoothing(d, lambda, v, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Cross(BLP blp, Vec lambda, Vec w, Vec u, Vec y, void *ctx)
{
  Deblur *d = (Deblur *)ctx;

  PetscFunctionBegin;
  (void)blp;
  PetscCall(VecCopy(lambda, d->weight));
  PetscCall(VecExp(d->weight));
  PetscCall(MatMult(d->D, w, d->t));
  PetscCall(VecPointwiseMult(d->t, d->weight, d->t));
  PetscCall(VecPointwiseMult(d->t, u, d->t));
  PetscCall(MatMultTranspose(d->D, d->t, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CrossTranspose(BLP blp, Vec lambda, Vec w, Vec v, Vec g, void *ctx)
{
  Deblur *d = (Deblur *)ctx;

  PetscFunctionBegin;
  (void)blp;
  PetscCall(VecCopy(lambda, d->weight));
  PetscCall(VecExp(d->weight));
  PetscCall(MatMult(d->D, w, d->r));
  PetscCall(MatMult(d->D, v, d->t));
  PetscCall(VecPointwiseMult(g, d->r, d->t));
  PetscCall(VecPointwiseMult(g, g, d->weight));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The diagonal of K^T K + D^T M D: (D^T M D)_jj = exp(lambda_j) + exp(lambda_{j-1}), and D^T of the weights
   is their difference. */
static PetscErrorCode Diagonal(BLP blp, Vec lambda, Vec w, Vec diagonal, void *ctx)
{
  Deblur *d = (Deblur *)ctx;

  PetscFunctionBegin;
  (void)blp;
  (void)w;
  PetscCall(VecCopy(lambda, d->weight));
  PetscCall(VecExp(d->weight));
  PetscCall(MatMultTranspose(d->D, d->weight, diagonal));
  PetscCall(VecAXPY(diagonal, 2, d->weight));
  PetscCall(VecShift(diagonal, d->square));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ its constants */

/* L <= ||K||^2 + ||D||^2 max exp(lambda): the rows and columns of K sum up to 1, and ||D||^2 <= 4. */
static PetscErrorCode Smoothness(BLP blp, Vec lambda, PetscReal *L, void *ctx)
{
  PetscReal largest;

  PetscFunctionBegin;
  (void)blp;
  (void)ctx;
  PetscCall(VecMax(lambda, NULL, &largest));
  *L = 1 + 4 * PetscExpReal(largest);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* K^T K and D^T D have the waves of n points as eigenvectors, so that with a = exp(min lambda) the Hessian is
   at least mu = min_k (kappa_k^2 + a delta_k), kappa_k = sum_j kernel_j cos(j t), delta_k = 2 - 2 cos t, t =
   2 pi k / n. Gives mu, and the delta of the least one. */
static void LeastEigenvalue(const Deblur *d, PetscReal a, PetscReal *mu, PetscReal *delta)
{
  *mu = PETSC_INFINITY;
  for (PetscInt k = 0; k < d->n; k++) {
    const PetscReal t = 2 * PETSC_PI * (PetscReal)k / (PetscReal)d->n, at = 2 - 2 * PetscCosReal(t);
    PetscReal kappa = 0;
    for (int j = -WIDTH; j <= WIDTH; j++) kappa += d->kernel[j + WIDTH] * PetscCosReal(j * t);
    if (kappa * kappa + a * at >= *mu) continue;
    *mu = kappa * kappa + a * at;
    *delta = at;
  }
}

static PetscErrorCode StrongConvexity(BLP blp, Vec lambda, PetscReal *mu, void *ctx)
{
  PetscReal least, delta = 0;

  PetscFunctionBegin;
  (void)blp;
  PetscCall(VecMin(lambda, NULL, &least));
  LeastEigenvalue((const Deblur *)ctx, PetscExpReal(least), mu, &delta);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* g <- value at one place, 0 elsewhere */
static PetscErrorCode SetEntry(Vec g, PetscInt place, PetscReal value)
{
  PetscInt first, last;

  PetscFunctionBegin;
  PetscCall(VecSet(g, 0));
  PetscCall(VecGetOwnershipRange(g, &first, &last));
  if (place >= first && place < last) PetscCall(VecSetValue(g, place, value, INSERT_VALUES));
  PetscCall(VecAssemblyBegin(g));
  PetscCall(VecAssemblyEnd(g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Both depend on one entry of lambda: dmu = delta exp(min lambda), dL = 4 exp(max lambda). */
static PetscErrorCode StrongConvexityGradient(BLP blp, Vec lambda, Vec g, void *ctx)
{
  PetscReal least, mu, delta = 0;
  PetscInt place;

  PetscFunctionBegin;
  (void)blp;
  PetscCall(VecMin(lambda, &place, &least));
  LeastEigenvalue((const Deblur *)ctx, PetscExpReal(least), &mu, &delta);
  PetscCall(SetEntry(g, place, delta * PetscExpReal(least)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SmoothnessGradient(BLP blp, Vec lambda, Vec g, void *ctx)
{
  PetscReal largest;
  PetscInt place;

  PetscFunctionBegin;
  (void)blp;
  (void)ctx;
  PetscCall(VecMax(lambda, &place, &largest));
  PetscCall(SetEntry(g, place, 4 * PetscExpReal(largest)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* In w: grad1 E = (w - s)/n; grad2 E and the Hessian do not depend on it; d/dlambda grad_w l = D^T M diag(D
   w) is linear in w, and |(D v)_j| <= sqrt(2) ||v||. */
static PetscErrorCode Lipschitz(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPUserLipschitz *c, void *ctx)
{
  Deblur *d = (Deblur *)ctx;
  PetscReal largest, most;

  PetscFunctionBegin;
  (void)blp;
  PetscCall(VecMax(lambda, NULL, &largest));
  PetscCall(VecCopy(lambda, d->weight));
  PetscCall(VecExp(d->weight));
  PetscCall(MatMult(d->D, w, d->t));
  PetscCall(VecPointwiseMult(d->t, d->weight, d->t));
  PetscCall(VecNorm(d->t, NORM_INFINITY, &most));
  c->eta1 = 1 / (PetscReal)d->n;
  c->eta2 = 0;
  c->nu1 = 0;
  c->nu2 = 2 * PetscSqrtReal(2) * PetscExpReal(largest);
  c->L_Phi = 2 * most + c->nu2 * radius;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ its data */

/* K: a Gaussian of standard deviation 2, D: differences; both wrap around. */
static PetscErrorCode CreateMatrices(MPI_Comm comm, Deblur *d)
{
  PetscInt first, last;
  PetscReal sum = 0;

  PetscFunctionBegin;
  PetscCheck(d->n > 2 * WIDTH, comm, PETSC_ERR_ARG_OUTOFRANGE, "-n %d: the blur is wider: at least %d",
             (int)d->n, 2 * WIDTH + 1);
  for (int k = -WIDTH; k <= WIDTH; k++) sum += d->kernel[k + WIDTH] = PetscExpReal(-k * k / 8.0);
  for (int k = -WIDTH; k <= WIDTH; k++) {
    d->kernel[k + WIDTH] /= sum;
    d->square += d->kernel[k + WIDTH] * d->kernel[k + WIDTH];
  }
  PetscCall(MatCreateAIJ(comm, PETSC_DECIDE, PETSC_DECIDE, d->n, d->n, 2 * WIDTH + 1, NULL, 2 * WIDTH + 1,
                         NULL, &d->K));
  PetscCall(MatCreateAIJ(comm, PETSC_DECIDE, PETSC_DECIDE, d->n, d->n, 2, NULL, 2, NULL, &d->D));
  PetscCall(MatGetOwnershipRange(d->K, &first, &last));
  for (PetscInt i = first; i < last; i++) {
    for (int k = -WIDTH; k <= WIDTH; k++)
      PetscCall(MatSetValue(d->K, i, (i + k + d->n) % d->n, d->kernel[k + WIDTH], ADD_VALUES));
    PetscCall(MatSetValue(d->D, i, i, -1, ADD_VALUES));
    PetscCall(MatSetValue(d->D, i, (i + 1) % d->n, 1, ADD_VALUES));
  }
  PetscCall(MatAssemblyBegin(d->K, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(d->K, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyBegin(d->D, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(d->D, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A wave, then two steps; and its blurred image with noise of standard deviation 0.01, keyed by the index. */
static PetscErrorCode CreateSignals(Deblur *d)
{
  PetscInt first, last;

  PetscFunctionBegin;
  PetscCall(MatCreateVecs(d->K, &d->s, &d->y));
  PetscCall(VecDuplicate(d->s, &d->weight));
  PetscCall(VecDuplicate(d->s, &d->r));
  PetscCall(VecDuplicate(d->s, &d->t));
  PetscCall(VecGetOwnershipRange(d->s, &first, &last));
  for (PetscInt i = first; i < last; i++) {
    const PetscReal x = (PetscReal)i / (PetscReal)d->n;
    const PetscReal value = x < 0.5 ? PetscSinReal(4 * PETSC_PI * x) : x < 0.7 ? 1 : x < 0.85 ? -0.5 : 0;
    PetscCall(VecSetValue(d->s, i, value, INSERT_VALUES));
  }
  PetscCall(VecAssemblyBegin(d->s));
  PetscCall(VecAssemblyEnd(d->s));
  PetscCall(TwofoldVecSetRandomNormal(d->t, 1));
  PetscCall(MatMult(d->K, d->s, d->y));
  PetscCall(VecAXPY(d->y, 0.01, d->t));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Destroy(Deblur *d)
{
  PetscFunctionBegin;
  PetscCall(MatDestroy(&d->K));
  PetscCall(MatDestroy(&d->D));
  PetscCall(VecDestroy(&d->s));
  PetscCall(VecDestroy(&d->y));
  PetscCall(VecDestroy(&d->weight));
  PetscCall(VecDestroy(&d->r));
  PetscCall(VecDestroy(&d->t));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the program */

static PetscErrorCode CreateProblem(MPI_Comm comm, Deblur *d, BLP *blp)
{
  PetscFunctionBegin;
  PetscCall(CreateMatrices(comm, d));
  PetscCall(CreateSignals(d));
  PetscCall(BLPCreate(comm, blp));
  PetscCall(BLPSetType(*blp, BLPUSER));
  PetscCall(BLPUserSetContext(*blp, d, NULL));
  PetscCall(BLPUserSetVecs(*blp, d->s, d->s)); /* lambda and w have the layout of s */
  PetscCall(BLPUserSetUpper(*blp, Upper));
  PetscCall(BLPUserSetLoss(*blp, Gradient, Hessian, Cross, CrossTranspose));
  PetscCall(BLPUserSetLossDiagonal(*blp, Diagonal));
  PetscCall(BLPUserSetConstantFunctions(*blp, StrongConvexity, Smoothness, NULL));
  PetscCall(BLPUserSetConstantGradients(*blp, StrongConvexityGradient, SmoothnessGradient));
  PetscCall(BLPUserSetLipschitz(*blp, Lipschitz, NULL));
  PetscCall(BLPSetFromOptions(*blp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ||w(lambda) - s|| / ||s|| at the last hypergradient */
static PetscErrorCode Error(ULS uls, const Deblur *d, PetscReal *error)
{
  HG hg;
  State x;
  PetscReal norm;

  PetscFunctionBegin;
  PetscCall(ULSGetHG(uls, &hg));
  PetscCall(HGGetState(hg, &x));
  PetscCall(VecWAXPY(d->r, -1, d->s, x->v[0]));
  PetscCall(VecNorm(d->r, NORM_2, error));
  PetscCall(VecNorm(d->s, NORM_2, &norm));
  *error /= norm;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Print(ULS uls, const Deblur *d, const char when[], PetscReal f)
{
  PetscReal error;

  PetscFunctionBegin;
  PetscCall(Error(uls, d, &error));
  PetscCall(PetscPrintf(PetscObjectComm((PetscObject)uls), "%s: f %.4e , error of the signal %.2f %%\n", when,
                        (double)f, 100 * (double)error));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Called at every point of the solve. */
static PetscErrorCode Monitor(ULS uls, const ULSPoint *point, void *ctx)
{
  PetscFunctionBegin;
  if (point->it == 0) PetscCall(Print(uls, (const Deblur *)ctx, "start", point->f));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What options change: 300 steps of heavy ball below, 50 of descent above. */
static PetscErrorCode SetDefaults(ULS uls)
{
  HG hg;
  LLS lls;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(ULSSetType(uls, ULSDESCENT));
  PetscCall(ULSSetStep(uls, 1e4));
  PetscCall(ULSSetMaximumIterations(uls, 50));
  PetscCall(ULSGetHG(uls, &hg));
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(LLSSetTolerances(lls, 0, 0, 300));
  PetscCall(LLSGetFPM(lls, &fpm));
  PetscCall(FPMSetType(fpm, FPMHEAVYBALL));
  PetscCall(FPMSetStep(fpm, 1));
  PetscCall(FPMSetMomentum(fpm, 0.9));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Run(MPI_Comm comm)
{
  Deblur d;
  BLP blp;
  ULS uls;
  Vec lambda;
  PetscReal f;

  PetscFunctionBegin;
  PetscCall(PetscMemzero(&d, sizeof(d)));
  d.n = 400;
  d.lambda0 = -5;
  d.rho = 1e-3;
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-n", &d.n, NULL));
  PetscCall(CreateProblem(comm, &d, &blp));
  PetscCall(ULSCreate(comm, &uls));
  PetscCall(ULSSetBLP(uls, blp));
  PetscCall(ULSMonitorSet(uls, Monitor, &d));
  PetscCall(SetDefaults(uls));
  PetscCall(ULSSetFromOptions(uls));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecSet(lambda, d.lambda0));
  PetscCall(ULSSolve(uls, lambda));
  PetscCall(ULSGetObjective(uls, &f));
  PetscCall(Print(uls, &d, "end", f));
  PetscCall(VecDestroy(&lambda));
  PetscCall(ULSDestroy(&uls));
  PetscCall(BLPDestroy(&blp));
  PetscCall(Destroy(&d));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  PetscErrorCode ierr = TwofoldInitialize(&argc, &argv, NULL, "Learns where to smooth a blurred signal.\n");

  if (ierr) return 1;
  ierr = Run(PETSC_COMM_WORLD);
  if (ierr) return 1;
  return TwofoldFinalize() ? 1 : 0;
}
