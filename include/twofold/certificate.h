#ifndef TWOFOLD_CERTIFICATE_H
#define TWOFOLD_CERTIFICATE_H
/**
 * @file
 * Certificates: bounds of a hypergradient's error by the residuals that it leaves, as functions of plain
 * numbers.
 *
 * A lower level that is a loss counts as Phi = w - grad_w l, a step of size 1, so that they hold for any
 * solver of it. HGSetCertificate() applies them. Derivations are in docs/theory.md.
 */
#include <twofold/theorem.h>

#if defined(__cplusplus)
extern "C" {
#endif

/**
 * Bounds the distance of a point to the minimiser of a convex loss, and the convexity on the ball between
 * them.
 *
 * By mu alone e = r / mu. By the least eigenvalue at the point, a ball with e lmin - nu1 e^2 / 2 >= r holds
 * the minimiser, and the Hessian is at least lmin - nu1 e there; of both the better.
 *
 * @notcollective
 *
 * @param[in]     residual  r = ||grad_w l|| at the point
 * @param[in]     mu        convexity everywhere; 0 where there is none
 * @param[in]     lmin      least eigenvalue of the Hessian at the point; NaN: not known
 * @param[in]     nu1       Lipschitz constant of the Hessian on the ball of radius r / mu; not used where
 * lmin is not known
 * @param[out]    e         distance of the point to w(lambda) at most; infinite where nothing bounds it
 * @param[out]    near      convexity on the ball of that radius
 *
 * @equation{e = min(r / mu, 2 r / (lmin + sqrt(lmin^2 - 2 nu1 r))), near = max(mu, lmin - nu1 e)}
 */
PetscErrorCode BoundDistance(PetscReal residual, PetscReal mu, PetscReal lmin, PetscReal nu1, PetscReal *e,
                             PetscReal *near);

/** What an approximate implicit differentiation leaves. */
typedef struct {
  PetscReal e;   /**< `||w^ - w(lambda)|| <= e` */
  PetscReal d;   /**< `||y - w^||`, y where the derivatives of Phi are taken: 0 but for Nesterov's map */
  PetscReal s;   /**< `||(I - d1Phi(y)^T) v^ - grad1 E(w^)||` */
  PetscReal nu1; /**< Lipschitz constant of d1Phi^T v^ in w: nu1 `||v^||`, or less: BLPGetLipschitzAlong() */
  PetscReal nu2; /**< of d2Phi^T v^, likewise */
} BoundResiduals;
/**
 * Certificate of approximate implicit differentiation.
 *
 * @notcollective
 *
 * @param[in]     a      M, eta1, eta2 and L_Phi on a ball around w^ that holds y and w(lambda)
 * @param[in]     r      the residuals
 * @param[out]    bound  of ||g - grad f||; infinite where nothing is known of w(lambda)
 *
 * @equation{eta2 e + nu2 ||v|| (e + d) + L_Phi M (||s|| + eta1 e + nu1 ||v|| (e + d)); nu ||v|| are the
 * residuals'}
 */
PetscErrorCode BoundCertificateAID(const BoundNumbers *a, const BoundResiduals *r, PetscReal *bound);
/**
 * Certificate of iterative differentiation through K steps of a contraction.
 *
 * @notcollective
 *
 * @param[in]     a      q on a convex set that holds w(lambda) and the iterates, and nu1, nu2; M, eta1, eta2
 * and L_Phi near w(lambda)
 * @param[in]     K      steps gone back through: all, or the last ones
 * @param[in]     e      ||w_i - w(lambda)|| <= e[i], of the K iterates before these steps
 * @param[in]     last   likewise of the iterate after them
 * @param[in]     g1     ||grad1 E|| there
 * @param[out]    bound  of ||g - grad f||; infinite where q >= 1
 *
 * @equation{(eta2 + eta1 W) last + g1 Delta_K, W = M L_Phi, Delta_0 = W, Delta_{i+1} = q Delta_i + (nu2 + nu1
 * W) e_i}
 */
PetscErrorCode BoundCertificateITD(const BoundNumbers *a, PetscInt K, const PetscReal e[], PetscReal last,
                                   PetscReal g1, PetscReal *bound);

#if defined(__cplusplus)
}
#endif
#endif
